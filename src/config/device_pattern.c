#include "config/device_pattern.h"

#include <stddef.h>
#include <string.h>

#include "config/hex_digit.h"

static bool parse_prefix(const char *text, size_t length, struct config_pattern *pattern)
{
    struct config_pattern parsed = {.digits = 0};
    bool separated = length > 2 && text[2] == ':';
    for (size_t i = 0; i < length; i++) {
        bool after_byte = separated && i % 3 == 2;
        if (after_byte) {
            if (text[i] != ':') {
                return false;
            }
            continue;
        }
        int digit = config_hex_digit(text[i]);
        /* A whole id is written without the `*`. */
        if (digit < 0 || parsed.digits == CONFIG_PATTERN_DIGITS - 1) {
            return false;
        }
        parsed.bytes[parsed.digits / 2] |= (uint8_t)(parsed.digits % 2 == 0 ? digit << 4 : digit);
        parsed.digits++;
    }
    *pattern = parsed;
    return true;
}

bool config_pattern_parse(const char *text, struct config_pattern *pattern)
{
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '*') {
        return parse_prefix(text, length - 1, pattern);
    }
    struct config_pattern whole = {.digits = CONFIG_PATTERN_DIGITS};
    if (!config_device_id_parse(text, whole.bytes)) {
        return false;
    }
    *pattern = whole;
    return true;
}

bool config_pattern_matches(const struct config_pattern *pattern, const uint8_t id[CONFIG_DEVICE_ID_SIZE])
{
    size_t whole_bytes = pattern->digits / 2u;
    if (memcmp(pattern->bytes, id, whole_bytes) != 0) {
        return false;
    }
    return pattern->digits % 2 == 0 || pattern->bytes[whole_bytes] == (id[whole_bytes] & 0xF0u);
}
