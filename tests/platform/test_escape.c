#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/escape.h"
#include "platform/utf8.h"

static const struct {
    const char *bytes;
    size_t count;
    const char *plain;
    const char *quoted;
    const char *json;
} CASES[] = {
    {"temp=21.5", 9, "temp=21.5", "temp=21.5", "temp=21.5"},
    {"", 0, "", "", ""},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
     "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"a\nb\r\tc", 6, "a\\x0ab\\x0d\\x09c", "a\\x0ab\\x0d\\x09c", "a\\u000ab\\u000d\\u0009c"},
    {"\0\x1f\x7f", 3, "\\x00\\x1f\\x7f", "\\x00\\x1f\\x7f", "\\u0000\\u001f\\u007f"},
    {"\x1b[2J", 4, "\\x1b[2J", "\\x1b[2J", "\\u001b[2J"},
    /* C1: the terminal's CSI as U+009B and as a byte that is no UTF-8 */
    {"\xc2\x9b"
     "2J",
     4, "\\xc2\\x9b2J", "\\xc2\\x9b2J", "\\u009b2J"},
    {"\x9b"
     "2J",
     3, "\\x9b2J", "\\x9b2J", "\\ufffd2J"},
    {"\xc2\xa0", 2, "\xc2\xa0", "\xc2\xa0", "\xc2\xa0"},
    {"\xff\xfe", 2, "\\xff\\xfe", "\\xff\\xfe", "\\ufffd\\ufffd"},
    {"\xe2\x80\xae"
     "exe",
     6, "\\u202eexe", "\\u202eexe", "\\u202eexe"},
    {"\xe2\x80\xa8", 3, "\\u2028", "\\u2028", "\\u2028"},
    {"\xe2\x81\xa6\xd8\x9c\xe2\x80\x8f", 8, "\\u2066\\u061c\\u200f", "\\u2066\\u061c\\u200f", "\\u2066\\u061c\\u200f"},
    {"C:\\x0a", 6, "C:\\\\x0a", "C:\\\\x0a", "C:\\\\x0a"},
    {"say \"hi\"", 8, "say \"hi\"", "say \\\"hi\\\"", "say \\\"hi\\\""},
};

static void test_known_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char text[64];
        assert_int_equal(escape_text(CASES[i].bytes, CASES[i].count, text, sizeof text), CASES[i].count);
        assert_string_equal(text, CASES[i].plain);
        assert_int_equal(escape_quoted(CASES[i].bytes, CASES[i].count, text, sizeof text), CASES[i].count);
        assert_string_equal(text, CASES[i].quoted);
        assert_int_equal(escape_json(CASES[i].bytes, CASES[i].count, text, sizeof text), CASES[i].count);
        assert_string_equal(text, CASES[i].json);
    }
}

static void test_no_single_byte_gets_through_as_a_control(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t input[1] = {(uint8_t)byte};
        char text[16];
        assert_int_equal(escape_text(input, 1, text, sizeof text), 1);
        for (const char *c = text; *c != '\0'; c++)
            assert_in_range((uint8_t)*c, 0x20, 0x7e);
        bool as_it_is = byte >= 0x20 && byte < 0x7f && byte != '\\';
        assert_int_equal(strlen(text), as_it_is ? 1 : byte == '\\' ? 2 : 4);
    }
}

static void test_cut_between_characters_and_escapes(void **state)
{
    (void)state;
    char text[9];
    assert_int_equal(escape_text("abcdefgh", 8, text, sizeof text), 8);
    assert_string_equal(text, "abcdefgh");
    assert_int_equal(escape_text("abcdefghi", 9, text, sizeof text), 8);
    assert_string_equal(text, "abcdefgh");
    assert_int_equal(escape_text("abcde\nf", 7, text, sizeof text), 5);
    assert_string_equal(text, "abcde");
    assert_int_equal(escape_text("abcdefg\xc3\xa4", 9, text, sizeof text), 7);
    assert_string_equal(text, "abcdefg");
    assert_int_equal(escape_text("abc", 3, text, 1), 0);
    assert_string_equal(text, "");
}

static void test_nothing_is_written_past_the_end(void **state)
{
    (void)state;
    const char input[] = "\n\xff\xe2\x80\xae\xc2\x9b\\\"x";
    for (size_t size = 1; size < 48; size++) {
        char text[64];
        memset(text, 0x55, sizeof text);
        size_t consumed = escape_json(input, sizeof input - 1, text, size);
        assert_in_range(consumed, 0, sizeof input - 1);
        assert_true(strlen(text) < size);
        for (size_t i = size; i < sizeof text; i++)
            assert_int_equal(text[i], 0x55);
    }
}

static void test_the_result_is_always_utf8(void **state)
{
    (void)state;
    uint8_t input[512];
    uint32_t random = 1;
    for (unsigned round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof input; i++) {
            random = random * 1664525u + 1013904223u;
            input[i] = (uint8_t)(random >> 24);
        }
        char text[4 * sizeof input + 1];
        assert_int_equal(escape_text(input, sizeof input, text, sizeof text), sizeof input);
        assert_true(utf8_is_valid((const uint8_t *)text, strlen(text)));
    }
}

static void test_no_bytes_may_have_no_address(void **state)
{
    (void)state;
    char text[4] = "abc";
    assert_int_equal(escape_text(NULL, 0, text, sizeof text), 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_texts),
        cmocka_unit_test(test_no_single_byte_gets_through_as_a_control),
        cmocka_unit_test(test_cut_between_characters_and_escapes),
        cmocka_unit_test(test_nothing_is_written_past_the_end),
        cmocka_unit_test(test_the_result_is_always_utf8),
        cmocka_unit_test(test_no_bytes_may_have_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
