#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "usmp/number.h"

static void assert_seconds(const char *text, uint64_t expected)
{
    uint64_t value = 77;
    assert_true(number_parse_seconds(text, &value));
    assert_int_equal(value, expected);
}

static void test_seconds(void **state)
{
    (void)state;
    assert_seconds("0", 0);
    assert_seconds("1", 1000000);
    assert_seconds("10", 10000000);
    assert_seconds("0.5", 500000);
    assert_seconds("00.25", 250000);
    assert_seconds("1.000001", 1000001);
    assert_seconds("0.0000019", 1);
    assert_seconds("31536000", UINT64_C(31536000000000));
    assert_seconds("31536000.999999", UINT64_C(31536000999999));
}

static void test_what_is_no_number_of_seconds(void **state)
{
    (void)state;
    const char *const wrong[] = {"",     "-1",  "+1",  " 1",  "1 ",  "1s",  "1.",       ".5",
                                 "1.5.", "1,5", "1e3", "0x1", "inf", "nan", "31536001", "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t value = 77;
        if (number_parse_seconds(wrong[i], &value))
            fail_msg("taken: %s", wrong[i]);
        assert_int_equal(value, 77);
    }
}

static void test_counts(void **state)
{
    (void)state;
    uint32_t value = 0;
    assert_true(number_parse_count("1", 1, 2, &value));
    assert_int_equal(value, 1);
    assert_true(number_parse_count("002", 1, 2, &value));
    assert_int_equal(value, 2);
    assert_true(number_parse_count("0", 0, 2, &value));
    assert_int_equal(value, 0);
    assert_true(number_parse_count("4294967295", 1, UINT32_MAX, &value));
    assert_int_equal(value, UINT32_MAX);
}

static void test_what_is_no_count(void **state)
{
    (void)state;
    const char *const wrong[] = {"", "0", "3", "-1", "+1", " 1", "1 ", "1.0", "x", "18446744073709551617"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t value = 77;
        if (number_parse_count(wrong[i], 1, 2, &value))
            fail_msg("taken: %s", wrong[i]);
        assert_int_equal(value, 77);
    }
    uint32_t value = 77;
    assert_false(number_parse_count("4294967296", 1, UINT32_MAX, &value));
    assert_int_equal(value, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_what_is_no_number_of_seconds),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_what_is_no_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
