#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/log_level.h"

static void test_names_are_those_of_the_configuration(void **state)
{
    (void)state;
    assert_string_equal(log_level_name(LOG_LEVEL_ERROR), "error");
    assert_string_equal(log_level_name(LOG_LEVEL_WARN), "warn");
    assert_string_equal(log_level_name(LOG_LEVEL_INFO), "info");
    assert_string_equal(log_level_name(LOG_LEVEL_DEBUG), "debug");
}

/* RFC 5424 section 6.2.1 */
static void test_priorities_are_those_of_syslog(void **state)
{
    (void)state;
    assert_int_equal(log_level_priority(LOG_LEVEL_ERROR), 3);
    assert_int_equal(log_level_priority(LOG_LEVEL_WARN), 4);
    assert_int_equal(log_level_priority(LOG_LEVEL_INFO), 6);
    assert_int_equal(log_level_priority(LOG_LEVEL_DEBUG), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_those_of_the_configuration),
        cmocka_unit_test(test_priorities_are_those_of_syslog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
