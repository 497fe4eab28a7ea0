#include "registry/master_secret.h"

#include "registry/reading.h"

#define NAME "psk.master_secret"

static struct said said;

static bool check(enum config_secret_kind kind, const void *bytes, size_t length)
{
    struct config_secret secret = {
        .kind = kind,
        .name = "master.secret",
        .place = {.file = "usmpd.yaml", .line = 3, .column = 11},
        .bytes = bytes,
        .length = length,
    };
    struct diagnostics *diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    bool usable = registry_master_secret_check(&secret, NAME, diagnostics);
    said_take(&said, diagnostics);
    diagnostics_close(diagnostics);
    return usable;
}

static void test_none_is_no_mistake(void **state)
{
    (void)state;
    assert_false(check(CONFIG_SECRET_NONE, NULL, 0));
    assert_string_equal(said.text, "");
}

static void test_good_secret_from_any_source(void **state)
{
    (void)state;
    uint8_t bytes[32];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 73 + 1);
    }
    assert_true(check(CONFIG_SECRET_FILE, bytes, sizeof(bytes)));
    assert_string_equal(said.text, "");
    assert_true(check(CONFIG_SECRET_ENVIRONMENT, "3tPJ632YOdShbcW_tu0stFQ9hcJPHH0tLUgMJjgeuhM", 43));
    assert_string_equal(said.text, "");
    assert_true(check(CONFIG_SECRET_CREDENTIAL, bytes, sizeof(bytes)));
    assert_string_equal(said.text, "");
}

static void test_secrets_that_are_none(void **state)
{
    (void)state;
    assert_false(check(CONFIG_SECRET_ENVIRONMENT, "", 0));
    assert_string_equal(said.text, "usmpd.yaml:3:11: " NAME " is empty\n");
    assert_false(check(CONFIG_SECRET_FILE, NULL, 0));
    assert_string_equal(said.text, "usmpd.yaml:3:11: " NAME " is empty\n");
    assert_false(check(CONFIG_SECRET_FILE, "only thirty-one bytes of secret", 31));
    assert_string_equal(said.text, "usmpd.yaml:3:11: " NAME " is shorter than 32 bytes; take 32 random bytes\n");
    assert_false(check(CONFIG_SECRET_FILE, "00000000000000000000000000000000", 32));
    assert_string_equal(said.text, "usmpd.yaml:3:11: " NAME " is one repeated byte; take 32 random bytes\n");
    assert_false(check(CONFIG_SECRET_FILE, "usmp-dev-psk-change-me-before-prod", 34));
    assert_int_equal(said.errors, 1);
}

static void test_guessable_text_is_a_warning(void **state)
{
    (void)state;
    static const char text[] = "my company my company my company";
    assert_true(check(CONFIG_SECRET_ENVIRONMENT, text, strlen(text)));
    assert_int_equal(said.errors, 0);
    assert_int_equal(said.warnings, 1);
    assert_non_null(strstr(said.text, NAME " can be guessed"));
    assert_null(strstr(said.text, "company"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_is_no_mistake),
        cmocka_unit_test(test_good_secret_from_any_source),
        cmocka_unit_test(test_secrets_that_are_none),
        cmocka_unit_test(test_guessable_text_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
