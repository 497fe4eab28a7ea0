#include "platform/utf8.h"

/* Length of the character, the bits its first byte contributes, and the range of the second byte, which is where
 * overlong forms, surrogates and what is above U+10FFFF are told apart (RFC 3629 section 4). */
struct lead {
    uint8_t length;
    uint8_t mask;
    uint8_t second_low;
    uint8_t second_high;
};

static struct lead lead_of(uint8_t byte)
{
    if (byte >= 0xc2 && byte <= 0xdf)
        return (struct lead){2, 0x1f, 0x80, 0xbf};
    if (byte >= 0xe0 && byte <= 0xef)
        return (struct lead){3, 0x0f, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf};
    if (byte >= 0xf0 && byte <= 0xf4)
        return (struct lead){4, 0x07, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf};
    return (struct lead){0, 0, 0, 0};
}

size_t utf8_decode(const uint8_t *bytes, size_t size, uint32_t *code_point)
{
    if (size == 0)
        return 0;
    if (bytes[0] < 0x80) {
        *code_point = bytes[0];
        return 1;
    }
    struct lead lead = lead_of(bytes[0]);
    if (lead.length == 0 || size < lead.length || bytes[1] < lead.second_low || bytes[1] > lead.second_high)
        return 0;
    uint32_t value = bytes[0] & lead.mask;
    for (size_t i = 1; i < lead.length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    *code_point = value;
    return lead.length;
}

bool utf8_is_valid(const uint8_t *bytes, size_t size)
{
    size_t offset = 0;
    while (offset < size) {
        uint32_t code_point;
        size_t length = utf8_decode(bytes + offset, size - offset, &code_point);
        if (length == 0)
            return false;
        offset += length;
    }
    return true;
}
