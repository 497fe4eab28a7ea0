#include "device/transmission.h"

#define MILLISECOND UINT64_C(1000)
#define INTERVAL_MIN (100 * MILLISECOND)
#define INTERVAL_MAX (5000 * MILLISECOND)

static uint64_t clamp(uint64_t interval)
{
    return interval < INTERVAL_MIN ? INTERVAL_MIN : interval > INTERVAL_MAX ? INTERVAL_MAX : interval;
}

static uint64_t interval_now(const struct strict_transmission *transmission, const struct strict_era *era)
{
    if (!era->estimates_round_trip)
        return era->repeat_after;
    return clamp(transmission->interval << (transmission->sends - 1));
}

void strict_transmission_reset(struct strict_transmission *transmission, const struct strict_era *era)
{
    transmission->waits = false;
    transmission->interval = era->repeat_after;
    transmission->smoothed = 200 * MILLISECOND;
    transmission->variation = 100 * MILLISECOND;
}

void strict_transmission_begin(struct strict_transmission *transmission, const struct strict_era *era, uint64_t now)
{
    transmission->waits = true;
    transmission->sends = 1;
    transmission->sent_first = now;
    transmission->deadline = now + interval_now(transmission, era);
}

bool strict_transmission_again(struct strict_transmission *transmission, const struct strict_era *era, uint64_t now)
{
    if (transmission->sends == STRICT_SENDS_MAX) {
        transmission->waits = false;
        return false;
    }
    transmission->sends++;
    transmission->deadline = now + interval_now(transmission, era);
    return true;
}

void strict_transmission_done(struct strict_transmission *transmission, const struct strict_era *era, uint64_t now)
{
    transmission->waits = false;
    /* Of a frame that was repeated nobody knows which copy was answered. */
    if (!era->estimates_round_trip || transmission->sends > 1)
        return;
    int64_t error = (int64_t)(now - transmission->sent_first) - (int64_t)transmission->smoothed;
    int64_t variation = (int64_t)transmission->variation;
    transmission->variation = (uint64_t)(variation + ((error < 0 ? -error : error) - variation) / 4);
    transmission->smoothed = (uint64_t)((int64_t)transmission->smoothed + error / 8);
    transmission->interval = clamp(transmission->smoothed + 4 * transmission->variation);
}
