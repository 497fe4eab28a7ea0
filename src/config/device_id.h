/* A device id as people write it: 6 bytes as 12 hex digits, all with `:` between the bytes or all without, in any
 * case; printed in lower case with `:`. Pure functions. */
#ifndef CONFIG_DEVICE_ID_H
#define CONFIG_DEVICE_ID_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_DEVICE_ID_SIZE 6u  /* bytes */
#define CONFIG_DEVICE_ID_TEXT 18u /* bytes of its text, with the NUL */

/* False, and `id` untouched, when `text` is anything else. */
bool config_device_id_parse(const char *text, uint8_t id[CONFIG_DEVICE_ID_SIZE]) __attribute__((warn_unused_result));

void config_device_id_format(const uint8_t id[CONFIG_DEVICE_ID_SIZE], char text[CONFIG_DEVICE_ID_TEXT]);

#endif
