#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <usmp/round_trip.h>

/* RFC 6298 section 2, with 1/8 and 1/4, four deviations, and the bounds of docs/protocol.md section 4. */

#define MILLISECONDS UINT64_C(1000)

static struct usmp_round_trip measured(const uint64_t *milliseconds, size_t count)
{
    struct usmp_round_trip round_trip = {0};
    for (size_t index = 0; index < count; index++)
        usmp_round_trip_measured(&round_trip, milliseconds[index] * MILLISECONDS);
    return round_trip;
}

static void it_begins_with_half_a_second(void **state)
{
    (void)state;
    const struct usmp_round_trip unmeasured = {0};
    assert_int_equal(usmp_round_trip_time_out(&unmeasured, 0), 500 * MILLISECONDS);
    assert_int_equal(usmp_round_trip_time_out(&unmeasured, 1), 1000 * MILLISECONDS);
    assert_int_equal(usmp_round_trip_time_out(&unmeasured, 2), 2000 * MILLISECONDS);
    assert_int_equal(usmp_round_trip_time_out(&unmeasured, 3), 4000 * MILLISECONDS);
    assert_int_equal(usmp_round_trip_time_out(&unmeasured, 4), 4000 * MILLISECONDS);
    assert_int_equal(usmp_round_trip_time_out(&unmeasured, UINT32_MAX), 4000 * MILLISECONDS);
}

/* R = 400: SRTT 400, RTTVAR 200, 400 + 4 × 200. */
static void the_first_measurement_counts_three_times(void **state)
{
    (void)state;
    const struct usmp_round_trip round_trip = measured((const uint64_t[]){400}, 1);
    assert_int_equal(usmp_round_trip_time_out(&round_trip, 0), 1200 * MILLISECONDS);
    assert_int_equal(usmp_round_trip_time_out(&round_trip, 1), 2400 * MILLISECONDS);
}

/* Then R' = 800: RTTVAR 3/4 × 200 + 1/4 × 400 = 250, SRTT 7/8 × 400 + 1/8 × 800 = 450, so 450 + 1000.
 * And R' = 50: RTTVAR 3/4 × 250 + 1/4 × 400 = 287.5, SRTT 7/8 × 450 + 1/8 × 50 = 400, so 400 + 1150. */
static void later_ones_are_smoothed(void **state)
{
    (void)state;
    const struct usmp_round_trip slower = measured((const uint64_t[]){400, 800}, 2);
    assert_int_equal(usmp_round_trip_time_out(&slower, 0), 1450 * MILLISECONDS);
    const struct usmp_round_trip faster = measured((const uint64_t[]){400, 800, 50}, 3);
    assert_int_equal(usmp_round_trip_time_out(&faster, 0), 1550 * MILLISECONDS);
}

static void a_steady_time_is_what_remains(void **state)
{
    (void)state;
    struct usmp_round_trip round_trip = {0};
    for (int count = 0; count < 200; count++)
        usmp_round_trip_measured(&round_trip, 700 * MILLISECONDS);
    uint64_t time_out = usmp_round_trip_time_out(&round_trip, 0);
    assert_in_range(time_out, 700 * MILLISECONDS, 705 * MILLISECONDS);
}

static void it_stays_within_its_bounds(void **state)
{
    (void)state;
    const uint64_t times[] = {0, 1, 100 * MILLISECONDS, 3999 * MILLISECONDS, 60000 * MILLISECONDS, UINT64_MAX};
    for (size_t first = 0; first < sizeof times / sizeof times[0]; first++) {
        for (size_t then = 0; then < sizeof times / sizeof times[0]; then++) {
            struct usmp_round_trip round_trip = {0};
            usmp_round_trip_measured(&round_trip, times[first]);
            for (int count = 0; count < 100; count++) {
                usmp_round_trip_measured(&round_trip, times[then]);
                uint64_t time_out = usmp_round_trip_time_out(&round_trip, 0);
                assert_in_range(time_out, 200 * MILLISECONDS, 4000 * MILLISECONDS);
            }
        }
    }
    const struct usmp_round_trip fast = measured((const uint64_t[]){1, 1, 1}, 3);
    assert_int_equal(usmp_round_trip_time_out(&fast, 0), 200 * MILLISECONDS);
    assert_int_equal(usmp_round_trip_time_out(&fast, 5), 4000 * MILLISECONDS);
}

/* A time of nothing is a measurement as well. */
static void no_time_at_all_is_measured(void **state)
{
    (void)state;
    const struct usmp_round_trip round_trip = measured((const uint64_t[]){0}, 1);
    assert_int_equal(usmp_round_trip_time_out(&round_trip, 0), 200 * MILLISECONDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_with_half_a_second), cmocka_unit_test(the_first_measurement_counts_three_times),
        cmocka_unit_test(later_ones_are_smoothed),      cmocka_unit_test(a_steady_time_is_what_remains),
        cmocka_unit_test(it_stays_within_its_bounds),   cmocka_unit_test(no_time_at_all_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
