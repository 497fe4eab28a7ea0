#include <usmp/round_trip.h>

#include <assert.h>

#define SMOOTHED_UNIT 125u   /* microseconds */
#define DEVIATION_UNIT 250u  /* microseconds */
#define DEVIATIONS_WAITED 4u /* beside the smoothed time */

_Static_assert(USMP_TIME_OUT_MAX / SMOOTHED_UNIT <= UINT16_MAX, "a time that can be measured can be kept");
_Static_assert(USMP_TIME_OUT_MIN << USMP_TIME_OUT_DOUBLINGS_MAX >= USMP_TIME_OUT_MAX, "more would have no effect");

void usmp_round_trip_measured(struct usmp_round_trip *round_trip, uint64_t elapsed)
{
    uint64_t time = elapsed < USMP_TIME_OUT_MAX ? elapsed : USMP_TIME_OUT_MAX;
    int32_t sample = (int32_t)(time / SMOOTHED_UNIT);
    if (sample == 0)
        sample = 1;
    if (round_trip->smoothed == 0) {
        round_trip->smoothed = (uint16_t)sample;
        round_trip->deviation = (uint16_t)(sample / 4); /* half of it, in the larger unit */
        return;
    }
    int32_t error = sample - round_trip->smoothed;
    int32_t distance = (error < 0 ? -error : error) / 2;
    round_trip->deviation = (uint16_t)(round_trip->deviation + (distance - round_trip->deviation) / 4);
    round_trip->smoothed = (uint16_t)(round_trip->smoothed + error / 8);
    assert(round_trip->smoothed > 0);
}

static uint64_t estimate(const struct usmp_round_trip *round_trip)
{
    if (round_trip->smoothed == 0)
        return USMP_TIME_OUT_FIRST;
    uint64_t time_out = (uint64_t)round_trip->smoothed * SMOOTHED_UNIT +
                        (uint64_t)round_trip->deviation * DEVIATION_UNIT * DEVIATIONS_WAITED;
    return time_out > USMP_TIME_OUT_MIN ? time_out : USMP_TIME_OUT_MIN;
}

uint64_t usmp_round_trip_time_out(const struct usmp_round_trip *round_trip, unsigned doublings)
{
    uint64_t time_out = estimate(round_trip);
    for (; doublings > 0 && time_out < USMP_TIME_OUT_MAX; doublings--)
        time_out *= 2;
    return time_out < USMP_TIME_OUT_MAX ? time_out : USMP_TIME_OUT_MAX;
}
