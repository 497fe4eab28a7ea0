#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/hex.h"

static void test_every_digit(void **state)
{
    (void)state;
    const char *lower = "0123456789abcdef";
    const char *upper = "0123456789ABCDEF";
    int digits = 0;
    for (int i = 0; i < 16; i++) {
        assert_int_equal(hex_digit(lower[i]), i);
        assert_int_equal(hex_digit(upper[i]), i);
    }
    for (int character = -128; character < 128; character++)
        digits += hex_digit((char)character) >= 0 ? 1 : 0;
    assert_int_equal(digits, 22);
}

static void test_bytes_become_lower_case_digits(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x00, 0x7f, 0x80, 0xff, 0xab};
    char text[12] = "???????????";
    hex_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "007f80ffab?");
    hex_encode(bytes, 0, text);
    assert_string_equal(text, "007f80ffab?");
}

static void test_digits_of_any_case_become_bytes(void **state)
{
    (void)state;
    uint8_t bytes[4] = {9, 9, 9, 9};
    const uint8_t expected[4] = {0x00, 0x7f, 0xab, 9};
    assert_true(hex_decode("007FaB", 6, bytes));
    assert_memory_equal(bytes, expected, sizeof bytes);
    assert_true(hex_decode("", 0, bytes));
    assert_memory_equal(bytes, expected, sizeof bytes);
}

static void test_what_is_no_hex(void **state)
{
    (void)state;
    uint8_t bytes[4];
    assert_false(hex_decode("0", 1, bytes));
    assert_false(hex_decode("001", 3, bytes));
    assert_false(hex_decode("0g", 2, bytes));
    assert_false(hex_decode("g0", 2, bytes));
    assert_false(hex_decode("00 1", 4, bytes));
    assert_false(hex_decode("0x", 2, bytes));
    assert_false(hex_decode("00\0 0", 4, bytes));
}

static void test_decoding_in_place(void **state)
{
    (void)state;
    char text[] = "  a1b2c3";
    const uint8_t expected[] = {0xa1, 0xb2, 0xc3};
    assert_true(hex_decode(text + 2, 6, (uint8_t *)text));
    assert_memory_equal(text, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_digit),
        cmocka_unit_test(test_bytes_become_lower_case_digits),
        cmocka_unit_test(test_digits_of_any_case_become_bytes),
        cmocka_unit_test(test_what_is_no_hex),
        cmocka_unit_test(test_decoding_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
