/* Numbers of the command line. Pure functions. False, and `value` untouched, when the text is anything else or out of
 * range. */
#ifndef USMP_NUMBER_H
#define USMP_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#define NUMBER_SECONDS_MAX 31536000u /* a year */

/* "10", "0.5": seconds, up to NUMBER_SECONDS_MAX, as microseconds; digits behind the sixth place are left out. */
bool number_parse_seconds(const char *text, uint64_t *value) __attribute__((warn_unused_result));

/* Decimal digits only, from `least` to `most`. */
bool number_parse_count(const char *text, uint32_t least, uint32_t most, uint32_t *value)
    __attribute__((warn_unused_result));

#endif
