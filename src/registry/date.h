/* Dates as `until` has them: YYYY-MM-DD in the Gregorian calendar, standing for 00:00 UTC. */
#ifndef REGISTRY_DATE_H
#define REGISTRY_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTRY_SECONDS_PER_DAY 86400

/* `days` since 1970-01-01. False, and `days` untouched, when the text is no such date or the calendar has no such day;
 * years from 1970 to 9999. */
bool registry_date_parse(const char *text, size_t length, int32_t *days) __attribute__((warn_unused_result));

#endif
