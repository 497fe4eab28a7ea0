/* Numbers as they stand in a configuration file. Pure functions.
 *
 * Each parser returns NULL and sets `value`, or returns what is wrong, to follow the text in a message ("needs a unit:
 * …"), and leaves `value` alone. Whether a value is in range is for the caller to say.
 */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONFIG_UNITS_TEXT 32u

/* Digits and one of ms s m h d: microseconds. 0 needs no unit. */
const char *config_units_duration(const char *text, uint64_t *value) __attribute__((warn_unused_result));

/* Digits and one of KiB MiB GiB: bytes. */
const char *config_units_size(const char *text, uint64_t *value) __attribute__((warn_unused_result));

/* Digits without a leading zero. */
const char *config_units_count(const char *text, uint64_t *value) __attribute__((warn_unused_result));

/* Permission bits in octal: 660, 0660; at most 0777. */
const char *config_units_mode(const char *text, mode_t *value) __attribute__((warn_unused_result));

/* true or false. */
const char *config_units_boolean(const char *text, bool *value) __attribute__((warn_unused_result));

/* In the largest unit that leaves a whole number: "10s", "64MiB". Values that the parsers could not have made are
 * rounded down. */
void config_units_format_duration(uint64_t microseconds, char text[CONFIG_UNITS_TEXT]);
void config_units_format_size(uint64_t bytes, char text[CONFIG_UNITS_TEXT]);

#endif
