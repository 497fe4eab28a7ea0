#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "platform/log_record.h"

static void assert_value(struct log_field field, const char *key, const char *expected)
{
    char scratch[LOG_VALUE_SIZE];
    struct log_value value = log_field_value(&field, scratch);
    assert_string_equal(field.key, key);
    assert_int_equal(value.size, strlen(expected));
    assert_memory_equal(value.data, expected, value.size);
}

static void test_values(void **state)
{
    (void)state;
    static const uint8_t device[6] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01};
    const struct address ipv4 = {{[10] = 0xff, 0xff, 192, 0, 2, 7}, 50123};
    const struct address ipv6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 65535};
    assert_value(log_string("name", "a text"), "name", "a text");
    assert_value(log_bytes("name", "a\nb", 3), "name", "a\nb");
    assert_value(log_number("count", 0), "count", "0");
    assert_value(log_number("count", INT64_MIN), "count", "-9223372036854775808");
    assert_value(log_number("count", INT64_MAX), "count", "9223372036854775807");
    assert_value(log_device(device), "device", "de:ad:be:ef:00:01");
    assert_value(log_peer(&ipv4), "peer", "192.0.2.7:50123");
    assert_value(log_address("local", &ipv6), "local", "[2001:db8::1]:65535");
    assert_value(log_system_error(ENOENT), "error", "No such file or directory");
    assert_value(log_system_error(999999), "error", "unknown error");
}

static void test_no_text_is_an_empty_one(void **state)
{
    (void)state;
    char scratch[LOG_VALUE_SIZE];
    struct log_field field = log_string("name", NULL);
    assert_int_equal(log_field_value(&field, scratch).size, 0);
}

static void test_a_list_ends(void **state)
{
    (void)state;
    const struct log_field *fields = LOG_FIELDS(log_number("a", 1), log_number("b", 2));
    assert_string_equal(fields[0].key, "a");
    assert_string_equal(fields[1].key, "b");
    assert_int_equal(fields[2].type, LOG_FIELD_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_no_text_is_an_empty_one),
        cmocka_unit_test(test_a_list_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
