#include "config/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Smallest first. */
static const struct unit durations[] = {
    {"ms", 1000ull}, {"s", 1000000ull}, {"m", 60000000ull}, {"h", 3600000000ull}, {"d", 86400000000ull},
};

static const struct unit sizes[] = {
    {"KiB", 1ull << 10},
    {"MiB", 1ull << 20},
    {"GiB", 1ull << 30},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char too_large[] = "is too large a number";

/* Sets the number that `text` begins with and where it ends; returns what is wrong, if anything. */
static const char *parse_digits(const char *text, const char *not_a_number, uint64_t *value, const char **end)
{
    if (*text < '0' || *text > '9') {
        return not_a_number;
    }
    uint64_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number)) {
            return too_large;
        }
    }
    *value = number;
    *end = text;
    return NULL;
}

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].name, name) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

static const char *multiply(uint64_t number, const struct unit *unit, uint64_t *value)
{
    uint64_t product;
    if (__builtin_mul_overflow(number, unit->factor, &product)) {
        return too_large;
    }
    *value = product;
    return NULL;
}

const char *config_units_duration(const char *text, uint64_t *value)
{
    uint64_t number;
    const char *end;
    const char *wrong = parse_digits(text, "is no duration: a whole number and ms, s, m, h or d", &number, &end);
    if (wrong != NULL) {
        return wrong;
    }
    if (*end == '\0') {
        if (number != 0) {
            return "needs a unit: ms, s, m, h or d";
        }
        *value = 0;
        return NULL;
    }
    const struct unit *unit = find_unit(durations, COUNT_OF(durations), end);
    if (unit == NULL) {
        return "is no duration: a whole number and ms, s, m, h or d";
    }
    return multiply(number, unit, value);
}

const char *config_units_size(const char *text, uint64_t *value)
{
    uint64_t number;
    const char *end;
    const char *wrong = parse_digits(text, "is no size: a whole number and KiB, MiB or GiB", &number, &end);
    if (wrong != NULL) {
        return wrong;
    }
    if (*end == '\0') {
        return "needs a unit: KiB, MiB or GiB";
    }
    const struct unit *unit = find_unit(sizes, COUNT_OF(sizes), end);
    if (unit == NULL) {
        return "is no size: a whole number and KiB, MiB or GiB";
    }
    return multiply(number, unit, value);
}

const char *config_units_count(const char *text, uint64_t *value)
{
    uint64_t number;
    const char *end;
    const char *wrong = parse_digits(text, "is no whole number", &number, &end);
    if (wrong != NULL) {
        return wrong;
    }
    if (*end != '\0') {
        return "is no whole number";
    }
    if (text[0] == '0' && text[1] != '\0') {
        return "begins with a zero; it could be read as octal";
    }
    *value = number;
    return NULL;
}

const char *config_units_mode(const char *text, mode_t *value)
{
    size_t length = strlen(text);
    if (length < 3 || length > 4 || strspn(text, "01234567") != length) {
        return "is no mode: three octal digits, with or without a 0 before them, such as \"0660\"";
    }
    if (length == 4 && text[0] != '0') {
        return "has special bits: a mode goes to \"0777\"";
    }
    mode_t mode = 0;
    for (; *text != '\0'; text++) {
        mode = mode << 3 | (mode_t)(*text - '0');
    }
    *value = mode;
    return NULL;
}

const char *config_units_boolean(const char *text, bool *value)
{
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0) {
        return "is neither true nor false";
    }
    *value = is_true;
    return NULL;
}

static void format(uint64_t value, const struct unit *units, size_t count, char text[CONFIG_UNITS_TEXT])
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        if (value != 0 && value % units[i].factor == 0) {
            best = i;
        }
    }
    snprintf(text, CONFIG_UNITS_TEXT, "%" PRIu64 "%s", value / units[best].factor, units[best].name);
}

void config_units_format_duration(uint64_t microseconds, char text[CONFIG_UNITS_TEXT])
{
    format(microseconds, durations, COUNT_OF(durations), text);
}

void config_units_format_size(uint64_t bytes, char text[CONFIG_UNITS_TEXT])
{
    format(bytes, sizes, COUNT_OF(sizes), text);
}
