#include "registry/unknown_key.h"

#include "registry/reading.h"

static const char *const names[] = {"psk", "psk_hex", "until"};
static struct said said;

/* What is said about the first key of a mapping. */
static const char *ask(const char *source_name, const char *text)
{
    struct diagnostics *diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    struct yaml_tree *tree = yaml_tree_parse(READING_FILE, text, strlen(text), diagnostics);
    assert_non_null(tree);
    struct registry_entry_source source = {.tree = tree, .diagnostics = diagnostics};
    assert_true(strlen(source_name) < sizeof(source.name));
    strcpy(source.name, source_name);
    registry_unknown_key(&source, yaml_tree_root(tree)->first, names, 3);
    said_take(&said, diagnostics);
    yaml_tree_free(tree);
    diagnostics_close(diagnostics);
    assert_int_equal(said.errors, 1);
    return said.text;
}

static void test_what_may_have_been_meant(void **state)
{
    (void)state;
    assert_string_equal(ask("here", "pks: x"), "devices.yaml:1:1: here.pks is unknown: did you mean psk?\n");
    assert_string_equal(ask("here", "  psk_hxe: x"),
                        "devices.yaml:1:3: here.psk_hxe is unknown: did you mean psk_hex?\n");
    assert_string_equal(ask("", "unti1: x"), "devices.yaml:1:1: unti1 is unknown: did you mean until?\n");
}

static void test_what_there_is(void **state)
{
    (void)state;
    assert_string_equal(ask("here", "colour: red"),
                        "devices.yaml:1:1: here.colour is unknown; what there is: psk, psk_hex, until\n");
    assert_string_equal(ask("", "colour: red"),
                        "devices.yaml:1:1: colour is unknown; what there is: psk, psk_hex, until\n");
}

static void test_what_may_be_a_secret_is_not_shown(void **state)
{
    (void)state;
    static const char hidden[] =
        "devices.yaml:1:1: here.(a key that is not shown) is unknown; what there is: psk, psk_hex, until\n";
    assert_string_equal(ask("here", "abcdefgh12345678:"), hidden);
    assert_string_equal(ask("here", "\"a text with spaces\": x"), hidden);
    assert_string_equal(ask("here", "3tPJ632YOdShbcW_tu0stFQ9hcJPHH0tLUgMJjgeuhM: x"), hidden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_may_have_been_meant),
        cmocka_unit_test(test_what_there_is),
        cmocka_unit_test(test_what_may_be_a_secret_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
