#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "platform/log_limit.h"

#define SECOND UINT64_C(1000000)
#define START (1000 * SECOND)

static struct log_limit fresh(void)
{
    return (struct log_limit)LOG_LIMIT_INITIALIZER("noise", LOG_LEVEL_WARN);
}

static unsigned take_many(struct log_limit *limit, uint64_t now_us, unsigned attempts)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < attempts; i++)
        taken += log_limit_take(limit, now_us) ? 1 : 0;
    return taken;
}

static void test_a_burst_goes_through_at_once(void **state)
{
    (void)state;
    struct log_limit limit = fresh();
    assert_int_equal(take_many(&limit, START, 20), 20);
    assert_false(log_limit_take(&limit, START));
    assert_int_equal(limit.suppressed, 1);
}

static void test_the_burst_is_there_at_time_zero_too(void **state)
{
    (void)state;
    struct log_limit limit = fresh();
    assert_int_equal(take_many(&limit, 0, 25), 20);
}

static void test_then_ten_a_second(void **state)
{
    (void)state;
    struct log_limit limit = fresh();
    assert_int_equal(take_many(&limit, START, 100), 20);
    assert_int_equal(take_many(&limit, START + SECOND, 100), 10);
    assert_int_equal(take_many(&limit, START + SECOND + 99999, 100), 0);
    assert_int_equal(take_many(&limit, START + SECOND + 100000, 100), 1);
}

static void test_an_idle_limit_holds_no_more_than_a_burst(void **state)
{
    (void)state;
    struct log_limit limit = fresh();
    assert_int_equal(take_many(&limit, START, 20), 20);
    assert_int_equal(take_many(&limit, START + 3600 * SECOND, 100), 20);
}

static void test_nothing_to_report(void **state)
{
    (void)state;
    struct log_limit limit = fresh();
    assert_int_equal(take_many(&limit, START, 20), 20);
    assert_int_equal(log_limit_deadline(&limit), UINT64_MAX);
    assert_int_equal(log_limit_report(&limit, START + 10 * SECOND), 0);
}

static void test_the_report_is_due_when_it_has_calmed_down(void **state)
{
    (void)state;
    struct log_limit limit = fresh();
    assert_int_equal(take_many(&limit, START, 32), 20);
    assert_int_equal(log_limit_deadline(&limit), START + 2 * SECOND);
    assert_int_equal(log_limit_report(&limit, START + 2 * SECOND - 1), 0);
    assert_int_equal(log_limit_report(&limit, START + 2 * SECOND), 12);
    assert_int_equal(log_limit_report(&limit, START + 3 * SECOND), 0);
    assert_int_equal(log_limit_deadline(&limit), UINT64_MAX);
}

static void test_messages_that_pass_put_the_report_off(void **state)
{
    (void)state;
    struct log_limit limit = fresh();
    assert_int_equal(take_many(&limit, START, 21), 20);
    assert_int_equal(take_many(&limit, START + SECOND, 1), 1);
    assert_int_equal(log_limit_deadline(&limit), START + 2 * SECOND + 100000);
}

static void test_an_endless_flood_is_reported_every_minute(void **state)
{
    (void)state;
    struct log_limit limit = fresh();
    uint64_t reported = 0;
    unsigned reports = 0;
    unsigned taken = 0;
    for (uint64_t now_us = START; now_us < START + 180 * SECOND; now_us += SECOND / 100) {
        uint64_t report = log_limit_report(&limit, now_us);
        reported += report;
        reports += report > 0 ? 1 : 0;
        taken += log_limit_take(&limit, now_us) ? 1 : 0;
    }
    assert_int_equal(reports, 2);
    reported += log_limit_report(&limit, UINT64_MAX);
    assert_int_equal(taken + reported, 18000);
    assert_in_range(taken, 20 + 1790, 20 + 1800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_goes_through_at_once),
        cmocka_unit_test(test_the_burst_is_there_at_time_zero_too),
        cmocka_unit_test(test_then_ten_a_second),
        cmocka_unit_test(test_an_idle_limit_holds_no_more_than_a_burst),
        cmocka_unit_test(test_nothing_to_report),
        cmocka_unit_test(test_the_report_is_due_when_it_has_calmed_down),
        cmocka_unit_test(test_messages_that_pass_put_the_report_off),
        cmocka_unit_test(test_an_endless_flood_is_reported_every_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
