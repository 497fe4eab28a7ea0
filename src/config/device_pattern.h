/* Which devices: an id, or what ids begin with and a `*`, hex digit by hex digit: "*", "de:ad:be:*", "deadb*". As in
 * an id (config/device_id.h) case does not matter, and `:` stands after every byte or nowhere. Pure functions. */
#ifndef CONFIG_DEVICE_PATTERN_H
#define CONFIG_DEVICE_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "config/device_id.h"

#define CONFIG_PATTERN_DIGITS (2u * CONFIG_DEVICE_ID_SIZE) /* of a whole id */

struct config_pattern {
    uint8_t bytes[CONFIG_DEVICE_ID_SIZE]; /* zeros after the digits that are given */
    uint8_t digits;                       /* hex digits that count: 0 is every device, CONFIG_PATTERN_DIGITS one */
};

/* False, and `pattern` untouched, when `text` is no pattern. */
bool config_pattern_parse(const char *text, struct config_pattern *pattern) __attribute__((warn_unused_result));

bool config_pattern_matches(const struct config_pattern *pattern, const uint8_t id[CONFIG_DEVICE_ID_SIZE]);

#endif
