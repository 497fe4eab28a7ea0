#include "platform/clock.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define MICROSECONDS UINT64_C(1000000)
#define LAST_MICROSECOND UINT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
#define FRACTION_OFFSET 20
#define FRACTION_DIGITS 6

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    int result = clock_gettime(clock, &now);
    assert(result == 0 && now.tv_sec >= 0);
    return (uint64_t)now.tv_sec * MICROSECONDS + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

static void format_second(struct clock_text_cache *cache, uint64_t second)
{
    time_t seconds = (time_t)second;
    struct tm parts;
    const struct tm *broken_down = gmtime_r(&seconds, &parts);
    assert(broken_down != NULL);
    size_t length = strftime(cache->text, sizeof cache->text, "%Y-%m-%dT%H:%M:%S.000000Z", broken_down);
    assert(length == CLOCK_TEXT_SIZE - 1);
    cache->second = second;
}

void clock_format(struct clock_text_cache *cache, uint64_t wall_us, char text[static CLOCK_TEXT_SIZE])
{
    if (wall_us > LAST_MICROSECOND)
        wall_us = LAST_MICROSECOND;
    uint64_t second = wall_us / MICROSECONDS;
    if (cache->second != second || cache->text[0] == '\0')
        format_second(cache, second);
    memcpy(text, cache->text, CLOCK_TEXT_SIZE);
    uint64_t fraction = wall_us % MICROSECONDS;
    for (size_t i = FRACTION_DIGITS; i > 0; i--) {
        text[FRACTION_OFFSET + i - 1] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
}
