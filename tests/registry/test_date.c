#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "registry/date.h"

static int32_t parsed(const char *text)
{
    int32_t days = -1;
    if (!registry_date_parse(text, strlen(text), &days)) {
        fail_msg("%s is refused", text);
    }
    return days;
}

static void assert_refused(const char *text)
{
    int32_t days = -1;
    if (registry_date_parse(text, strlen(text), &days)) {
        fail_msg("%s is accepted", text);
    }
    assert_int_equal(days, -1);
}

static void test_known_days(void **state)
{
    (void)state;
    assert_int_equal(parsed("1970-01-01"), 0);
    assert_int_equal(parsed("1970-12-31"), 364);
    assert_int_equal(parsed("2000-02-29"), 11016);
    assert_int_equal(parsed("2027-01-31"), 1801353600 / 86400);
    assert_int_equal(parsed("9999-12-31"), 2932896);
}

/* timegm() of the C library goes the same way. */
static void test_every_day_of_three_centuries(void **state)
{
    (void)state;
    for (int32_t day = 0; day < 120000; day++) {
        time_t seconds = (time_t)day * REGISTRY_SECONDS_PER_DAY;
        struct tm fields;
        assert_non_null(gmtime_r(&seconds, &fields));
        char text[32];
        assert_int_equal(strftime(text, sizeof(text), "%Y-%m-%d", &fields), 10);
        assert_int_equal(parsed(text), day);
    }
}

static void test_days_that_no_calendar_has(void **state)
{
    (void)state;
    assert_refused("2027-02-29");
    assert_refused("2100-02-29");
    assert_refused("2027-02-30");
    assert_refused("2027-04-31");
    assert_refused("2027-01-32");
    assert_refused("2027-01-00");
    assert_refused("2027-00-10");
    assert_refused("2027-13-01");
    assert_refused("1969-12-31");
    assert_refused("0000-01-01");
}

static void test_other_spellings(void **state)
{
    (void)state;
    assert_refused("");
    assert_refused("2027-1-31");
    assert_refused("27-01-31");
    assert_refused("2027/01/31");
    assert_refused("31-01-2027");
    assert_refused("20270131");
    assert_refused(" 2027-01-3");
    assert_refused("2027-01-31 ");
    assert_refused("2027-01-31T00:00:00Z");
    assert_refused("+027-01-31");
    assert_refused("2027-0a-31");
    assert_refused("2027-01--1");
    assert_refused("12027-01-31");
}

static void test_length_ends_the_text(void **state)
{
    (void)state;
    int32_t days = -1;
    assert_true(registry_date_parse("1970-01-02 and more", 10, &days));
    assert_int_equal(days, 1);
    assert_false(registry_date_parse("1970-01-02", 9, &days));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_days),
        cmocka_unit_test(test_every_day_of_three_centuries),
        cmocka_unit_test(test_days_that_no_calendar_has),
        cmocka_unit_test(test_other_spellings),
        cmocka_unit_test(test_length_ends_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
