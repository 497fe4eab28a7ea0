#include "usmp/device_id.h"

#include <string.h>

#include "usmp/hex.h"

#define DIGITS (2 * USMP_DEVICE_ID_SIZE)
#define COLONS (USMP_DEVICE_ID_SIZE - 1)

static bool remove_colons(const char *text, char digits[static DIGITS])
{
    for (size_t i = 0; i < USMP_DEVICE_ID_SIZE; i++) {
        memcpy(digits + 2 * i, text + 3 * i, 2);
        if (i < COLONS && text[3 * i + 2] != ':')
            return false;
    }
    return true;
}

bool device_id_parse(const char *text, uint8_t id[USMP_DEVICE_ID_SIZE])
{
    char digits[DIGITS];
    size_t length = strlen(text);
    if (length == DIGITS)
        memcpy(digits, text, DIGITS);
    else if (length != DIGITS + COLONS || !remove_colons(text, digits))
        return false;
    uint8_t parsed[USMP_DEVICE_ID_SIZE];
    if (!hex_decode(digits, DIGITS, parsed))
        return false;
    memcpy(id, parsed, sizeof parsed);
    return true;
}
