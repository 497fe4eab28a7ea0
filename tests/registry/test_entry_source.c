#include "registry/entry_source.h"

#include "registry/reading.h"

static struct diagnostics *diagnostics;
static struct yaml_tree *tree;
static struct registry_entry_source source;
static struct said said;

static void open_source(const char *text)
{
    diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    tree = yaml_tree_parse(READING_FILE, text, strlen(text), diagnostics);
    assert_non_null(tree);
    source = (struct registry_entry_source){.tree = tree, .diagnostics = diagnostics, .name = "here"};
}

static const char *close_source(void)
{
    said_take(&said, diagnostics);
    yaml_tree_free(tree);
    diagnostics_close(diagnostics);
    return said.text;
}

static const struct yaml_node *first(void)
{
    return yaml_tree_root(tree)->first;
}

static void test_messages_name_the_place_and_the_key(void **state)
{
    (void)state;
    open_source("colour: red\n");
    registry_entry_error(&source, first(), "is %d of %s", 3, "them");
    assert_string_equal(close_source(), "devices.yaml:1:9: here.colour is 3 of them\n");
    open_source("colour: red\n");
    registry_entry_warning(&source, first(), "is %s", "loud");
    assert_string_equal(close_source(), "devices.yaml:1:9: warning: here.colour is loud\n");
    assert_int_equal(said.errors, 0);
}

static void test_items_go_by_the_name_of_their_list(void **state)
{
    (void)state;
    open_source("colours: [red, green]\n");
    registry_entry_error_at(&source, first()->first->next, first()->key, "is no colour");
    registry_entry_error_at(&source, first(), NULL, "is wrong as a whole");
    assert_string_equal(close_source(), "devices.yaml:1:10: here is wrong as a whole\n"
                                        "devices.yaml:1:16: here.colours is no colour\n");
}

static void test_text_is_a_scalar_that_is_given(void **state)
{
    (void)state;
    open_source("a: some text\nb: \"\"\nc: \"~\"\n");
    const struct yaml_node *node = first();
    assert_string_equal(registry_entry_text(&source, node, "a text"), "some text");
    assert_string_equal(registry_entry_text(&source, node->next, "a text"), "");
    assert_string_equal(registry_entry_text(&source, node->next->next, "a text"), "~");
    assert_string_equal(close_source(), "");
}

static void test_what_is_no_text(void **state)
{
    (void)state;
    open_source("a: [x]\nb: {}\nc: ~\nd:\ne: \"x\\0y\"\n");
    for (const struct yaml_node *node = first(); node != NULL; node = node->next) {
        assert_null(registry_entry_text(&source, node, "a text"));
    }
    close_source();
    assert_int_equal(said.errors, 5);
    assert_non_null(strstr(said.text, "devices.yaml:5:4: here.e must be a text\n"));
}

static void test_notices_are_told_once(void **state)
{
    (void)state;
    struct registry_notice notice = {.count = 0};
    open_source("a: x\nb: y\nc: z\n");
    registry_notice_tell(&notice, diagnostics, "is not told");
    assert_int_equal(diagnostics_warnings(diagnostics), 0);
    registry_notice_add(&notice, &source, first()->next);
    registry_notice_tell(&notice, diagnostics, "is told");
    assert_string_equal(close_source(), "devices.yaml:2:4: warning: here is told\n");
    open_source("a: x\nb: y\nc: z\n");
    strcpy(source.name, "elsewhere");
    registry_notice_add(&notice, &source, first());
    registry_notice_add(&notice, &source, first());
    registry_notice_tell(&notice, diagnostics, "is told");
    assert_string_equal(close_source(), "devices.yaml:2:4: warning: here (and 2 more) is told\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_name_the_place_and_the_key),
        cmocka_unit_test(test_items_go_by_the_name_of_their_list),
        cmocka_unit_test(test_text_is_a_scalar_that_is_given),
        cmocka_unit_test(test_what_is_no_text),
        cmocka_unit_test(test_notices_are_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
