#include "config/device_id.h"

#include <stdio.h>
#include <string.h>

#include "config/hex_digit.h"

bool config_device_id_parse(const char *text, uint8_t id[CONFIG_DEVICE_ID_SIZE])
{
    size_t length = strlen(text);
    size_t step = length == 2 * CONFIG_DEVICE_ID_SIZE ? 2 : 3;
    if (length != step * CONFIG_DEVICE_ID_SIZE - (step - 2)) {
        return false;
    }
    uint8_t parsed[CONFIG_DEVICE_ID_SIZE];
    for (size_t i = 0; i < CONFIG_DEVICE_ID_SIZE; i++) {
        const char *digits = text + i * step;
        int high = config_hex_digit(digits[0]);
        int low = config_hex_digit(digits[1]);
        bool separated = step == 2 || i + 1 == CONFIG_DEVICE_ID_SIZE || digits[2] == ':';
        if (high < 0 || low < 0 || !separated) {
            return false;
        }
        parsed[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(id, parsed, sizeof parsed);
    return true;
}

void config_device_id_format(const uint8_t id[CONFIG_DEVICE_ID_SIZE], char text[CONFIG_DEVICE_ID_TEXT])
{
    snprintf(text, CONFIG_DEVICE_ID_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", id[0], id[1], id[2], id[3], id[4], id[5]);
}
