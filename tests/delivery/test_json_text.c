#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>

#include "delivery/json_text.h"

#define SIZE_MAX_TESTED 300

static void expect_escaped(const char *bytes, size_t size, const char *expected)
{
    char out[JSON_TEXT_STRING_MAX(SIZE_MAX_TESTED)];
    char *end = json_text_string(out, (const uint8_t *)bytes, size);
    assert_non_null(end);
    assert_int_equal(end - out, strlen(expected));
    assert_memory_equal(out, expected, strlen(expected));
}

#define EXPECT_ESCAPED(bytes, expected) expect_escaped(bytes, sizeof(bytes) - 1, expected)

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    EXPECT_ESCAPED("", "");
    EXPECT_ESCAPED("temp=21.5", "temp=21.5");
    EXPECT_ESCAPED(" !#[]~/ and a longer one, over sixteen bytes", " !#[]~/ and a longer one, over sixteen bytes");
    EXPECT_ESCAPED("gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x90\xa2",
                   "gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x90\xa2");
    EXPECT_ESCAPED("\xc2\xa0", "\xc2\xa0");
}

static void what_json_forbids_is_escaped(void **state)
{
    (void)state;
    EXPECT_ESCAPED("\"", "\\\"");
    EXPECT_ESCAPED("\\", "\\\\");
    EXPECT_ESCAPED("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
    EXPECT_ESCAPED("a\0b", "a\\u0000b");
    EXPECT_ESCAPED("\x01\x1f", "\\u0001\\u001f");
}

static void what_moves_a_terminal_is_escaped(void **state)
{
    (void)state;
    EXPECT_ESCAPED("\x1b[2J", "\\u001b[2J");
    EXPECT_ESCAPED("\x7f", "\\u007f");
    EXPECT_ESCAPED("\xc2\x80\xc2\x9b\xc2\x9f", "\\u0080\\u009b\\u009f");
    EXPECT_ESCAPED("\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6", "\\u2028\\u202e\\u2066");
}

/* Every special byte at every place of a long text, so that the fast way has no blind spot. */
static void no_place_of_a_long_text_is_overlooked(void **state)
{
    (void)state;
    for (size_t place = 0; place < 40; place++) {
        for (unsigned byte = 0; byte < 0x80; byte++) {
            uint8_t text[40];
            memset(text, 'x', sizeof text);
            text[place] = (uint8_t)byte;
            char out[JSON_TEXT_STRING_MAX(sizeof text)];
            char *end = json_text_string(out, text, sizeof text);
            assert_non_null(end);
            bool plain = byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
            assert_int_equal(end - out == (ptrdiff_t)sizeof text, plain);
        }
        for (unsigned byte = 0x80; byte < 0x100; byte++) {
            uint8_t text[40];
            memset(text, 'x', sizeof text);
            text[place] = (uint8_t)byte;
            char out[JSON_TEXT_STRING_MAX(sizeof text)];
            assert_null(json_text_string(out, text, sizeof text));
        }
    }
}

static void what_is_not_utf8_is_no_string(void **state)
{
    (void)state;
    static const char *const INVALID[] = {
        "\x80", "\xc0\x80",       "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xff", "good then \xc3", "\xe2\x82", "\xf0\x9f\x90",
    };
    for (size_t i = 0; i < sizeof INVALID / sizeof INVALID[0]; i++) {
        char out[JSON_TEXT_STRING_MAX(32)];
        assert_null(json_text_string(out, (const uint8_t *)INVALID[i], strlen(INVALID[i])));
    }
}

/* What another reader of JSON finds in the string is what went in. */
static void a_reader_gets_back_what_went_in(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[48];
        size_t size = 0;
        size_t wanted = (size_t)round % 40;
        while (size < wanted) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            uint32_t code_point = (uint32_t)(random >> 40) % ((random >> 33 & 3) == 0 ? 0x3000 : 0x90);
            if (code_point < 0x80) {
                bytes[size++] = (uint8_t)code_point;
            } else if (code_point < 0x800) {
                bytes[size++] = (uint8_t)(0xc0 | code_point >> 6);
                bytes[size++] = (uint8_t)(0x80 | (code_point & 63));
            } else {
                bytes[size++] = (uint8_t)(0xe0 | code_point >> 12);
                bytes[size++] = (uint8_t)(0x80 | (code_point >> 6 & 63));
                bytes[size++] = (uint8_t)(0x80 | (code_point & 63));
            }
        }
        char line[2 + JSON_TEXT_STRING_MAX(sizeof bytes)];
        line[0] = '"';
        char *end = json_text_string(line + 1, bytes, size);
        assert_non_null(end);
        *end++ = '"';
        json_t *value = json_loadb(line, (size_t)(end - line), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_true(json_is_string(value));
        assert_int_equal(json_string_length(value), size);
        assert_memory_equal(json_string_value(value), bytes, size);
        json_decref(value);
    }
}

static void base64_is_as_libsodium_writes_it(void **state)
{
    (void)state;
    uint8_t bytes[SIZE_MAX_TESTED];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        char out[JSON_TEXT_BASE64_SIZE(SIZE_MAX_TESTED) + 1];
        char expected[JSON_TEXT_BASE64_SIZE(SIZE_MAX_TESTED) + 1];
        char *end = json_text_base64(out, bytes, size);
        *end = '\0';
        sodium_bin2base64(expected, sizeof expected, bytes, size, sodium_base64_VARIANT_ORIGINAL);
        assert_string_equal(out, expected);
        assert_int_equal(end - out, JSON_TEXT_BASE64_SIZE(size));
    }
}

static void hex_is_as_printf_writes_it(void **state)
{
    (void)state;
    uint8_t bytes[256];
    char expected[2 * sizeof bytes + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        expected[0] = '\0';
        for (size_t i = 0; i < size; i++)
            assert_int_equal(snprintf(expected + 2 * i, 3, "%02x", bytes[i]), 2);
        char out[sizeof expected];
        *json_text_hex(out, bytes, size) = '\0';
        assert_string_equal(out, expected);
    }
}

static void numbers_hex_and_devices_are_written(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        const char *text;
    } NUMBERS[] = {
        {0, "0"}, {9, "9"}, {10, "10"}, {9007199254740991, "9007199254740991"}, {UINT64_MAX, "18446744073709551615"}};
    char out[64];
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        *json_text_number(out, NUMBERS[i].number) = '\0';
        assert_string_equal(out, NUMBERS[i].text);
    }
    const uint8_t device[6] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01};
    *json_text_device(out, device) = '\0';
    assert_string_equal(out, "de:ad:be:ef:00:01");
    *json_text_hex(out, device, sizeof device) = '\0';
    assert_string_equal(out, "deadbeef0001");
    *json_text_literal(out, "abc") = '\0';
    assert_string_equal(out, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays_as_it_is),           cmocka_unit_test(what_json_forbids_is_escaped),
        cmocka_unit_test(what_moves_a_terminal_is_escaped),    cmocka_unit_test(no_place_of_a_long_text_is_overlooked),
        cmocka_unit_test(what_is_not_utf8_is_no_string),       cmocka_unit_test(a_reader_gets_back_what_went_in),
        cmocka_unit_test(base64_is_as_libsodium_writes_it),    cmocka_unit_test(hex_is_as_printf_writes_it),
        cmocka_unit_test(numbers_hex_and_devices_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
