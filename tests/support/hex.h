#ifndef TESTS_SUPPORT_HEX_H
#define TESTS_SUPPORT_HEX_H

/* Bytes as documents print them. Included after cmocka.h. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Returns how many bytes there are; spaces between bytes are skipped. */
static inline size_t hex_read(const char *hex, uint8_t *out, size_t room)
{
    size_t size = 0;
    for (const char *next = hex; *next != '\0'; next += *next == ' ' ? 1 : 2) {
        unsigned value;
        if (*next == ' ')
            continue;
        assert_true(size < room);
        assert_int_equal(sscanf(next, "%2x", &value), 1);
        out[size++] = (uint8_t)value;
    }
    return size;
}

static inline void assert_hex_equal(const void *bytes, size_t size, const char *hex)
{
    uint8_t expected[4096];
    assert_int_equal(hex_read(hex, expected, sizeof expected), size);
    assert_memory_equal(bytes, expected, size);
}

#endif
