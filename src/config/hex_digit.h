/* The value of a hex digit in any case and any locale, or -1. */
#ifndef CONFIG_HEX_DIGIT_H
#define CONFIG_HEX_DIGIT_H

static inline int config_hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return -1;
}

#endif
