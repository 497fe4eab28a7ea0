#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "platform/clock.h"

static void assert_format(struct clock_text_cache *cache, uint64_t wall_us, const char *expected)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(cache, wall_us, text);
    assert_string_equal(text, expected);
}

/* Seconds since 1970 from `date -u -d … +%s`. */
static void test_known_times(void **state)
{
    (void)state;
    struct clock_text_cache cache = {0};
    assert_format(&cache, 0, "1970-01-01T00:00:00.000000Z");
    assert_format(&cache, UINT64_C(1795251600123456), "2026-11-21T09:00:00.123456Z");
    assert_format(&cache, UINT64_C(951782400000001), "2000-02-29T00:00:00.000001Z");
    assert_format(&cache, UINT64_C(4102444799999999), "2099-12-31T23:59:59.999999Z");
}

static void test_the_cache_follows_the_clock(void **state)
{
    (void)state;
    struct clock_text_cache cache = {0};
    assert_format(&cache, UINT64_C(1795251600000000), "2026-11-21T09:00:00.000000Z");
    assert_format(&cache, UINT64_C(1795251600999999), "2026-11-21T09:00:00.999999Z");
    assert_format(&cache, UINT64_C(1795251601000000), "2026-11-21T09:00:01.000000Z");
    /* The wall clock may step back. */
    assert_format(&cache, UINT64_C(1795251599000007), "2026-11-21T08:59:59.000007Z");
}

static void test_the_far_future_is_capped(void **state)
{
    (void)state;
    struct clock_text_cache cache = {0};
    assert_format(&cache, UINT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z");
    assert_format(&cache, UINT64_C(253402300800000000), "9999-12-31T23:59:59.999999Z");
    assert_format(&cache, UINT64_MAX, "9999-12-31T23:59:59.999999Z");
}

static void test_clocks_are_those_of_the_system(void **state)
{
    (void)state;
    struct timespec before;
    struct timespec after;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &before), 0);
    uint64_t monotonic_us = clock_monotonic_us();
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &after), 0);
    assert_in_range(monotonic_us, (uint64_t)before.tv_sec * 1000000, (uint64_t)(after.tv_sec + 1) * 1000000);

    time_t wall_before = time(NULL);
    uint64_t wall_us = clock_wall_us();
    assert_in_range(wall_us, (uint64_t)(wall_before - 1) * 1000000, (uint64_t)(time(NULL) + 1) * 1000000);
    assert_true(clock_monotonic_us() >= monotonic_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_times),
        cmocka_unit_test(test_the_cache_follows_the_clock),
        cmocka_unit_test(test_the_far_future_is_capped),
        cmocka_unit_test(test_clocks_are_those_of_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
