#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/escape.h"
#include "platform/log_line.h"

static void assert_line(const struct log_line *line, const char *expected)
{
    assert_int_equal(line->length, strlen(expected));
    assert_memory_equal(line->text, expected, line->length);
}

static void test_pieces_follow_each_other(void **state)
{
    (void)state;
    struct log_line line = {0};
    log_line_append(&line, "a=");
    log_line_append_escaped(&line, escape_text, "1\n2", 3, 32);
    log_line_append_bytes(&line, ";x", 1);
    assert_line(&line, "a=1\\x0a2;");
}

static void test_what_is_too_long_ends_in_an_ellipsis(void **state)
{
    (void)state;
    char text[12];
    log_escape_cut(escape_text, "abcdefghijk", 11, text, sizeof text);
    assert_string_equal(text, "abcdefghijk");
    log_escape_cut(escape_text, "abcdefghijkl", 12, text, sizeof text);
    assert_string_equal(text, "abcdefgh\xe2\x80\xa6");
    log_escape_cut(escape_text, "abcdefg\nxyz", 11, text, sizeof text);
    assert_string_equal(text, "abcdefg\xe2\x80\xa6");
    log_escape_cut(escape_text, "abcdefghijkl", 12, text, 4);
    assert_string_equal(text, "\xe2\x80\xa6");
}

static void test_a_cut_piece_can_be_followed(void **state)
{
    (void)state;
    struct log_line line = {0};
    log_line_append_escaped(&line, escape_json, "\xff\xff\xff", 3, 16);
    log_line_append(&line, "\"");
    assert_line(&line, "\\ufffd\\ufffd\xe2\x80\xa6\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_follow_each_other),
        cmocka_unit_test(test_what_is_too_long_ends_in_an_ellipsis),
        cmocka_unit_test(test_a_cut_piece_can_be_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
