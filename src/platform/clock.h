#ifndef PLATFORM_CLOCK_H
#define PLATFORM_CLOCK_H

#include <stdint.h>

/* The two clocks of the daemon and the text form of wall time. Rooms without I/O get both as arguments. */

/* Microseconds of CLOCK_MONOTONIC: for deadlines, limits and timeouts; never steps. */
uint64_t clock_monotonic_us(void);

/* Microseconds since 1970-01-01T00:00:00Z: only for what is shown; it may step. */
uint64_t clock_wall_us(void);

#define CLOCK_TEXT_SIZE 28 /* "2026-11-21T09:00:00.123456Z" and its terminating zero */

/* What the last call of clock_format() worked out about its second. Starts as zeros; one for each thread or table
 * that formats many times in a row. */
struct clock_text_cache {
    uint64_t second;
    char text[CLOCK_TEXT_SIZE];
};

/* Writes `wall_us` as UTC. Times after the year 9999 are written as its last microsecond. */
void clock_format(struct clock_text_cache *cache, uint64_t wall_us, char text[static CLOCK_TEXT_SIZE]);

#endif
