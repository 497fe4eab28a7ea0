#include "registry/psk_entry.h"

#include "crypto/start.h"
#include "registry/reading.h"

#define ID "de:ad:be:ef:00:01"
#define AT "devices.yaml:1:40: devices." ID
#define ONE(key) "devices: { \"" ID "\": { " key " } }"
#define STRONG_TEXT "3tPJ632YOdShbcW_tu0stFQ9hcJPHH0tLUgMJjgeuhM"
#define STRONG_HEX "aa1647659a86b9f3ea40f6ff3af3c7b26a44918d06329a932b66ad26076474b7"

static struct reading reading;

/* The key that the only device got is that of HMAC with these bytes. */
static void assert_key(const char *text, const void *bytes, size_t size)
{
    reading_open(&reading, false, text);
    assert_int_equal(reading.said.errors, 0);
    struct crypto_hmac_key expected;
    crypto_hmac_key_init(&expected, bytes, size);
    assert_int_equal(reading.registry->keys.count, 1);
    assert_memory_equal(registry_keys_get(&reading.registry->keys, 0), &expected, sizeof(expected));
    reading_close(&reading);
}

static void test_text_is_the_key_byte_for_byte(void **state)
{
    (void)state;
    assert_key(ONE("psk: " STRONG_TEXT), STRONG_TEXT, 43);
    assert_key(ONE("psk: '" STRONG_HEX "'"), STRONG_HEX, 64);
    assert_key(ONE("psk: 12345678901234567890"), "12345678901234567890", 20);
    assert_key(ONE("psk: \"with spaces and \xC3\xBC in it\""), "with spaces and \xC3\xBC in it", 24);
    assert_key(ONE("psk: \"a zero\\0in the middle\""), "a zero\0in the middle", 20);
}

static void test_hex_is_decoded_in_any_case(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x01, 0x7F, 0x80, 0xAB, 0xCD, 0xEF, 0x09,
                                    0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xFF};
    assert_key(ONE("psk_hex: 00017f80abcdef0910203040506070ff"), bytes, sizeof(bytes));
    assert_key(ONE("psk_hex: 00017F80ABCDEF0910203040506070FF"), bytes, sizeof(bytes));
}

static void test_strong_keys_are_taken_in_silence(void **state)
{
    (void)state;
    assert_said(ONE("psk: " STRONG_TEXT), "");
    assert_said(ONE("psk_hex: " STRONG_HEX), "");
}

static void test_both_forms_at_once_are_refused(void **state)
{
    (void)state;
    assert_said(ONE("psk: x, psk_hex: ff"),
                "devices.yaml:1:52: devices." ID ".psk_hex stands beside psk: a key is one of the two\n");
}

static void test_values_that_are_no_key(void **state)
{
    (void)state;
    assert_said(ONE("psk: [a, b]"), AT ".psk must be a text\n");
    assert_said(ONE("psk_hex: {}"), "devices.yaml:1:44: devices." ID ".psk_hex must be hex digits\n");
    assert_said(ONE("psk: \"\""), AT ".psk is empty\n");
    assert_said(ONE("psk: ~"), AT ".psk is empty\n");
    assert_said(ONE("psk_hex: \"\""), "devices.yaml:1:44: devices." ID ".psk_hex is empty\n");
}

static void test_hex_that_is_none(void **state)
{
    (void)state;
    assert_said(ONE("psk_hex: " STRONG_HEX "0"),
                "devices.yaml:1:44: devices." ID
                ".psk_hex has an odd number of hex digits: one is missing, or one too many\n");
    assert_said(ONE("psk_hex: 0x" STRONG_HEX),
                "devices.yaml:1:44: devices." ID
                ".psk_hex has something else in it than hex digits; if the key is a text, write psk\n");
    assert_said(ONE("psk_hex: \"" STRONG_HEX " \""),
                "devices.yaml:1:44: devices." ID
                ".psk_hex has something else in it than hex digits; if the key is a text, write psk\n");
}

static void test_rules_hold_for_both_forms(void **state)
{
    (void)state;
    assert_said(ONE("psk: fifteen-bytes-1"),
                AT ".psk is shorter than 16 bytes (zero bytes at its end do not count); take 32 random bytes\n");
    assert_said(ONE("psk_hex: 000102030405060708090a0b0c0d0e0000000000"),
                "devices.yaml:1:44: devices." ID
                ".psk_hex is shorter than 16 bytes (zero bytes at its end do not count); take 32 random bytes\n");
    assert_said(ONE("psk: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), AT ".psk is one repeated byte; take 32 random bytes\n");
    assert_said(ONE("psk_hex: 7f3a1b9e2c4d5f6a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a"),
                "devices.yaml:1:44: devices." ID
                ".psk_hex is an example from public documentation, which everybody knows; take 32 random bytes\n");
}

static char *repeat(const char *before, const char *unit, size_t times, const char *after)
{
    size_t size = strlen(before) + strlen(unit) * times + strlen(after) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    strcpy(text, before);
    for (size_t i = 0; i < times; i++) {
        strcat(text, unit);
    }
    strcat(text, after);
    return text;
}

static void test_keys_up_to_a_length(void **state)
{
    (void)state;
    char *longest_hex = repeat("devices: { \"" ID "\": { psk_hex: ", "0a1b", 512, " } }");
    assert_said(longest_hex, "");
    char *too_long_hex = repeat("devices: { \"" ID "\": { psk_hex: ", "0a1b", 513, " } }");
    assert_said(too_long_hex, "devices.yaml:1:44: devices." ID ".psk_hex is longer than 1024 bytes\n");
    char *too_long_text = repeat("devices: { \"" ID "\": { psk: ", STRONG_TEXT, 24, " } }");
    assert_said(too_long_text, AT ".psk is longer than 1024 bytes\n");
    free(longest_hex);
    free(too_long_hex);
    free(too_long_text);
}

static void test_64_hex_digits_as_text_are_taken_with_one_warning(void **state)
{
    (void)state;
    assert_said(ONE("psk: " STRONG_HEX),
                "devices.yaml:1:40: warning: devices." ID
                " has a psk of 64 hex digits, and it is taken as psk says: the key is this text of 64 bytes. If the "
                "device has the 32 bytes that the digits stand for, write psk_hex\n");
}

static void test_many_of_them_are_one_warning(void **state)
{
    (void)state;
    reading_open(&reading, false,
                 "devices:\n"
                 "  deadbeef0001: { psk: " STRONG_HEX " }\n"
                 "  deadbeef0002: { psk: " STRONG_HEX " }\n"
                 "  deadbeef0003: { psk: " STRONG_HEX " }\n");
    assert_int_equal(reading.said.errors, 0);
    assert_int_equal(reading.said.warnings, 1);
    assert_non_null(
        strstr(reading.said.text, "devices.yaml:2:24: warning: devices." ID " (and 2 more) has a psk of 64"));
    reading_close(&reading);
}

static void test_text_that_can_be_guessed_is_a_warning(void **state)
{
    (void)state;
    reading_open(&reading, false, ONE("psk: correct horse battery staple"));
    assert_string_equal(reading.said.text,
                        "devices.yaml:1:40: warning: devices." ID
                        ".psk can be guessed by whoever sees one handshake (estimated under 80 bits): take 32 random "
                        "bytes, as `usmp keygen` prints them\n");
    assert_int_equal(reading.reader.entries.psk_notices.weak, 1);
    reading_close(&reading);
    reading_open(&reading, false, ONE("psk: deadbeef0001-ef0001-k7"));
    assert_int_equal(reading.said.warnings, 1);
    reading_close(&reading);
    /* The same strength as hex: nobody thought it up. */
    assert_said(ONE("psk_hex: 00112233445566778899aabbccddeeff"), "");
}

static void test_white_space_at_the_end_is_a_warning(void **state)
{
    (void)state;
    assert_said("devices:\n"
                "  deadbeef0001:\n"
                "    psk: |\n"
                "      " STRONG_TEXT "\n",
                "devices.yaml:3:10: warning: devices." ID ".psk ends in a line break, which is part of the key\n");
    assert_said(ONE("psk: \"" STRONG_TEXT " \""),
                "devices.yaml:1:40: warning: devices." ID ".psk ends in a space, which is part of the key\n");
}

static void test_development_psk_needs_permission(void **state)
{
    (void)state;
    assert_said(ONE("psk: usmp-dev-psk-change-me-before-prod"),
                AT ".psk is the development PSK of the SDKs, which everybody knows; psk.allow_development_psk accepts "
                   "it for trying things out\n");
    reading_open(&reading, true, ONE("psk: usmp-dev-psk-change-me-before-prod"));
    assert_string_equal(reading.said.text,
                        "devices.yaml:1:40: warning: devices." ID
                        " has the development PSK, which everybody knows: psk.allow_development_psk is for trying "
                        "things out only\n");
    assert_int_equal(reading.registry->keys.count, 1);
    reading_close(&reading);
    reading_open(&reading, true, ONE("psk: your-generated-psk-here"));
    assert_int_equal(reading.said.errors, 1);
    reading_close(&reading);
}

static void test_no_message_shows_a_key(void **state)
{
    (void)state;
    static const char *const texts[] = {
        ONE("psk: SeCrEt"),
        ONE("psk: SeCrEtSeCrEtSeCrEt"),
        ONE("psk_hex: SeCrEt"),
        ONE("psk: SeCrEt, psk_hex: SeCrEt"),
        ONE("psk: { SeCrEt: SeCrEt }"),
        ONE("psk: [SeCrEt]"),
        ONE("SeCrEt"),
        ONE("psk: \"SeCrEt-text-of-some-length-SeCrEt\\n\""),
        "devices: { \"" ID "\": SeCrEt }",
        "devices: { \"" ID "\": [SeCrEt] }",
        "devices: { SeCrEt: { psk: SeCrEt } }",
        "devices: SeCrEt",
        "default: SeCrEt",
        "default: [SeCrEt]",
        "SeCrEt",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_open(&reading, false, texts[i]);
        assert_true(reading.said.errors + reading.said.warnings > 0);
        if (strstr(reading.said.text, "SeCrEt") != NULL) {
            fail_msg("%s is answered by %s", texts[i], reading.said.text);
        }
        reading_close(&reading);
    }
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_the_key_byte_for_byte),
        cmocka_unit_test(test_hex_is_decoded_in_any_case),
        cmocka_unit_test(test_strong_keys_are_taken_in_silence),
        cmocka_unit_test(test_both_forms_at_once_are_refused),
        cmocka_unit_test(test_values_that_are_no_key),
        cmocka_unit_test(test_hex_that_is_none),
        cmocka_unit_test(test_rules_hold_for_both_forms),
        cmocka_unit_test(test_keys_up_to_a_length),
        cmocka_unit_test(test_64_hex_digits_as_text_are_taken_with_one_warning),
        cmocka_unit_test(test_many_of_them_are_one_warning),
        cmocka_unit_test(test_text_that_can_be_guessed_is_a_warning),
        cmocka_unit_test(test_white_space_at_the_end_is_a_warning),
        cmocka_unit_test(test_development_psk_needs_permission),
        cmocka_unit_test(test_no_message_shows_a_key),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
