#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry/key_rules.h"

#define SAMPLE_SIZE (REGISTRY_MASTER_MAX + 1)

/* `size` bytes that no two neighbours share. */
static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i % 251 + 1);
    }
}

static enum registry_key_verdict check_psk_text(const char *text)
{
    return registry_key_check_psk((const uint8_t *)text, strlen(text));
}

static enum registry_key_verdict check_master_text(const char *text)
{
    return registry_key_check_master((const uint8_t *)text, strlen(text));
}

static void test_psk_has_a_least_and_a_greatest_length(void **state)
{
    (void)state;
    uint8_t bytes[SAMPLE_SIZE];
    fill(bytes, sizeof(bytes));
    assert_int_equal(registry_key_check_psk(bytes, 0), REGISTRY_KEY_EMPTY);
    assert_int_equal(registry_key_check_psk(bytes, 1), REGISTRY_KEY_TOO_SHORT);
    assert_int_equal(registry_key_check_psk(bytes, 15), REGISTRY_KEY_TOO_SHORT);
    assert_int_equal(registry_key_check_psk(bytes, 16), REGISTRY_KEY_GOOD);
    assert_int_equal(registry_key_check_psk(bytes, 1024), REGISTRY_KEY_GOOD);
    assert_int_equal(registry_key_check_psk(bytes, 1025), REGISTRY_KEY_TOO_LONG);
}

static void test_zeros_at_the_end_do_not_lengthen_a_psk(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0};
    fill(bytes, 15);
    assert_int_equal(registry_key_check_psk(bytes, sizeof(bytes)), REGISTRY_KEY_TOO_SHORT);
    bytes[63] = 1;
    assert_int_equal(registry_key_check_psk(bytes, sizeof(bytes)), REGISTRY_KEY_GOOD);
}

static void test_psk_of_one_byte_is_refused_with_zeros_behind_it_too(void **state)
{
    (void)state;
    uint8_t bytes[64];
    memset(bytes, 0xAA, sizeof(bytes));
    assert_int_equal(registry_key_check_psk(bytes, sizeof(bytes)), REGISTRY_KEY_ONE_BYTE);
    memset(bytes + 32, 0, 32);
    assert_int_equal(registry_key_check_psk(bytes, sizeof(bytes)), REGISTRY_KEY_ONE_BYTE);
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(registry_key_check_psk(bytes, sizeof(bytes)), REGISTRY_KEY_ONE_BYTE);
    memset(bytes, 0xAA, sizeof(bytes));
    bytes[40] = 0xAB;
    assert_int_equal(registry_key_check_psk(bytes, sizeof(bytes)), REGISTRY_KEY_GOOD);
}

static void test_published_psks_are_refused(void **state)
{
    (void)state;
    assert_int_equal(check_psk_text("usmp-dev-psk-change-me-before-prod"), REGISTRY_KEY_DEVELOPMENT);
    assert_int_equal(check_psk_text("your-generated-psk-here"), REGISTRY_KEY_PUBLISHED);
    assert_int_equal(check_psk_text("unique-psk-for-device-1"), REGISTRY_KEY_PUBLISHED);
    assert_int_equal(check_psk_text("unique-psk-for-device-2"), REGISTRY_KEY_PUBLISHED);
    assert_int_equal(check_psk_text("unique-psk-for-device-3"), REGISTRY_KEY_GOOD);
    assert_int_equal(check_psk_text("usmp-dev-psk-change-me-before-prod!"), REGISTRY_KEY_GOOD);
}

/* HMAC fills a key up with zeros: it is the same key. */
static void test_published_psk_with_zeros_behind_it_is_refused(void **state)
{
    (void)state;
    static const uint8_t development[] = "usmp-dev-psk-change-me-before-prod";
    assert_int_equal(registry_key_check_psk(development, sizeof(development)), REGISTRY_KEY_DEVELOPMENT);
    static const uint8_t example[] = "your-generated-psk-here\0\0";
    assert_int_equal(registry_key_check_psk(example, sizeof(example)), REGISTRY_KEY_PUBLISHED);
}

static void test_published_hex_example_is_refused_as_text_and_decoded(void **state)
{
    (void)state;
    assert_int_equal(check_psk_text("7f3a1b9e2c4d5f6a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a"),
                     REGISTRY_KEY_PUBLISHED);
    assert_int_equal(check_psk_text("7F3A1B9E2C4D5F6A8B9C0D1E2F3A4B5C6D7E8F9A0B1C2D3E4F5A6B7C8D9E0F1A"),
                     REGISTRY_KEY_PUBLISHED);
    uint8_t decoded[] = {0x7F, 0x3A, 0x1B, 0x9E, 0x2C, 0x4D, 0x5F, 0x6A, 0x8B, 0x9C, 0x0D,
                         0x1E, 0x2F, 0x3A, 0x4B, 0x5C, 0x6D, 0x7E, 0x8F, 0x9A, 0x0B, 0x1C,
                         0x2D, 0x3E, 0x4F, 0x5A, 0x6B, 0x7C, 0x8D, 0x9E, 0x0F, 0x1A};
    assert_int_equal(registry_key_check_psk(decoded, sizeof(decoded)), REGISTRY_KEY_PUBLISHED);
    assert_int_equal(registry_key_check_master(decoded, sizeof(decoded)), REGISTRY_KEY_PUBLISHED);
    decoded[31] = 0x1B;
    assert_int_equal(registry_key_check_psk(decoded, sizeof(decoded)), REGISTRY_KEY_GOOD);
}

static void test_master_secret_has_a_least_and_a_greatest_length(void **state)
{
    (void)state;
    uint8_t bytes[SAMPLE_SIZE];
    fill(bytes, sizeof(bytes));
    assert_int_equal(registry_key_check_master(bytes, 0), REGISTRY_KEY_EMPTY);
    assert_int_equal(registry_key_check_master(bytes, 31), REGISTRY_KEY_TOO_SHORT);
    assert_int_equal(registry_key_check_master(bytes, 32), REGISTRY_KEY_GOOD);
    assert_int_equal(registry_key_check_master(bytes, 4096), REGISTRY_KEY_GOOD);
    assert_int_equal(registry_key_check_master(bytes, 4097), REGISTRY_KEY_TOO_LONG);
}

static void test_random_master_secret_may_end_in_a_zero_but_not_consist_of_zeros(void **state)
{
    (void)state;
    uint8_t bytes[32];
    fill(bytes, sizeof(bytes));
    bytes[31] = 0;
    assert_int_equal(registry_key_check_master(bytes, sizeof(bytes)), REGISTRY_KEY_GOOD);
    memset(bytes + 15, 0, 17);
    assert_int_equal(registry_key_check_master(bytes, sizeof(bytes)), REGISTRY_KEY_TOO_SHORT);
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(registry_key_check_master(bytes, sizeof(bytes)), REGISTRY_KEY_ONE_BYTE);
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(registry_key_check_master(bytes, sizeof(bytes)), REGISTRY_KEY_ONE_BYTE);
}

static void test_published_keys_are_no_master_secrets(void **state)
{
    (void)state;
    assert_int_equal(check_master_text("usmp-dev-psk-change-me-before-prod"), REGISTRY_KEY_PUBLISHED);
    assert_int_equal(check_master_text("7f3a1b9e2c4d5f6a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a"),
                     REGISTRY_KEY_PUBLISHED);
    assert_int_equal(check_master_text("a master secret that nobody has published"), REGISTRY_KEY_GOOD);
}

static void test_every_verdict_is_explained_differently(void **state)
{
    (void)state;
    for (int one = REGISTRY_KEY_EMPTY; one <= REGISTRY_KEY_PUBLISHED; one++) {
        const char *text = registry_key_explain_psk((enum registry_key_verdict)one);
        assert_non_null(text);
        assert_true(strncmp(text, "is ", 3) == 0);
        for (int other = REGISTRY_KEY_EMPTY; other < one; other++) {
            assert_string_not_equal(text, registry_key_explain_psk((enum registry_key_verdict)other));
        }
    }
    assert_non_null(strstr(registry_key_explain_psk(REGISTRY_KEY_TOO_SHORT), "16 bytes"));
    assert_non_null(strstr(registry_key_explain_master(REGISTRY_KEY_TOO_SHORT), "32 bytes"));
    assert_non_null(strstr(registry_key_explain_master(REGISTRY_KEY_TOO_LONG), "4096 bytes"));
    assert_string_equal(registry_key_explain_master(REGISTRY_KEY_EMPTY), "is empty");
    assert_non_null(strstr(registry_key_explain_psk(REGISTRY_KEY_DEVELOPMENT), "psk.allow_development_psk"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_psk_has_a_least_and_a_greatest_length),
        cmocka_unit_test(test_zeros_at_the_end_do_not_lengthen_a_psk),
        cmocka_unit_test(test_psk_of_one_byte_is_refused_with_zeros_behind_it_too),
        cmocka_unit_test(test_published_psks_are_refused),
        cmocka_unit_test(test_published_psk_with_zeros_behind_it_is_refused),
        cmocka_unit_test(test_published_hex_example_is_refused_as_text_and_decoded),
        cmocka_unit_test(test_master_secret_has_a_least_and_a_greatest_length),
        cmocka_unit_test(test_random_master_secret_may_end_in_a_zero_but_not_consist_of_zeros),
        cmocka_unit_test(test_published_keys_are_no_master_secrets),
        cmocka_unit_test(test_every_verdict_is_explained_differently),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
