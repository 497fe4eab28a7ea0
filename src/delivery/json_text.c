#define _DEFAULT_SOURCE
#include "delivery/json_text.h"

#include <endian.h>
#include <stdbool.h>

#include "platform/utf8.h"

static const char HEX[] = "0123456789abcdef";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))
#define HIGH_BITS EACH_BYTE(0x80u)

char *json_text_number(char *out, uint64_t number)
{
    char digits[JSON_TEXT_NUMBER_MAX];
    size_t length = 0;
    do {
        digits[sizeof digits - ++length] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(out, digits + sizeof digits - length, length);
    return out + length;
}

static char *write_byte(char *out, uint8_t byte)
{
    out[0] = HEX[byte >> 4];
    out[1] = HEX[byte & 15];
    return out + 2;
}

/* Four bytes as eight digits, all at once: session ids make this the most frequent piece of a line. */
static uint64_t hex_digits(uint32_t bytes)
{
    uint64_t spread = bytes;
    spread = (spread | spread << 16) & UINT64_C(0x0000ffff0000ffff);
    spread = (spread | spread << 8) & UINT64_C(0x00ff00ff00ff00ff);
    uint64_t nibbles = (spread >> 4 | spread << 8) & EACH_BYTE(0x0fu);
    uint64_t letters = (nibbles + EACH_BYTE(6u)) >> 4 & EACH_BYTE(1u);
    return nibbles + EACH_BYTE('0') + letters * ('a' - '0' - 10);
}

char *json_text_hex(char *out, const uint8_t *bytes, size_t size)
{
    size_t offset = 0;
    for (; size - offset >= 4; offset += 4) {
        uint32_t four;
        memcpy(&four, bytes + offset, sizeof four);
        uint64_t digits = htole64(hex_digits(le32toh(four)));
        memcpy(out, &digits, sizeof digits);
        out += sizeof digits;
    }
    for (; offset < size; offset++)
        out = write_byte(out, bytes[offset]);
    return out;
}

char *json_text_device(char *out, const uint8_t device[static 6])
{
    for (size_t i = 0; i < 6; i++) {
        if (i > 0)
            *out++ = ':';
        out = write_byte(out, device[i]);
    }
    return out;
}

/* A bit set in each byte that is zero; bits above the lowest such byte may be set wrongly, "none" never is. */
static uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE(1u)) & ~word & HIGH_BITS;
}

/* Whether eight bytes are ASCII that stands for itself. */
static bool are_plain(const uint8_t bytes[static 8])
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    uint64_t controls = (word - EACH_BYTE(0x20u)) & ~word;
    uint64_t special =
        zero_bytes(word ^ EACH_BYTE('"')) | zero_bytes(word ^ EACH_BYTE('\\')) | zero_bytes(word ^ EACH_BYTE(0x7fu));
    return ((word | controls | special) & HIGH_BITS) == 0;
}

static char *write_escape(char *out, uint32_t code_point)
{
    *out++ = '\\';
    switch (code_point) {
    case '"':
    case '\\':
        *out++ = (char)code_point;
        return out;
    case '\b':
        *out++ = 'b';
        return out;
    case '\f':
        *out++ = 'f';
        return out;
    case '\n':
        *out++ = 'n';
        return out;
    case '\r':
        *out++ = 'r';
        return out;
    case '\t':
        *out++ = 't';
        return out;
    default:
        *out++ = 'u';
        return json_text_hex(out, (const uint8_t[]){(uint8_t)(code_point >> 8), (uint8_t)code_point}, 2);
    }
}

static bool needs_escape(uint32_t code_point)
{
    if (code_point < 0xa0)
        return code_point < 0x20 || code_point >= 0x7f || code_point == '"' || code_point == '\\';
    return code_point == 0x061c || code_point == 0x200e || code_point == 0x200f ||
           (code_point >= 0x2028 && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069);
}

char *json_text_string(char *out, const uint8_t *bytes, size_t size)
{
    size_t offset = 0;
    while (offset < size) {
        if (size - offset >= 8 && are_plain(bytes + offset)) {
            memcpy(out, bytes + offset, 8);
            out += 8;
            offset += 8;
            continue;
        }
        uint32_t code_point;
        size_t length = utf8_decode(bytes + offset, size - offset, &code_point);
        if (length == 0)
            return NULL;
        if (needs_escape(code_point)) {
            out = write_escape(out, code_point);
        } else {
            memcpy(out, bytes + offset, length);
            out += length;
        }
        offset += length;
    }
    return out;
}

static void write_base64_group(char out[static 4], uint32_t bits)
{
    out[0] = BASE64[bits >> 18 & 63];
    out[1] = BASE64[bits >> 12 & 63];
    out[2] = BASE64[bits >> 6 & 63];
    out[3] = BASE64[bits & 63];
}

char *json_text_base64(char *out, const uint8_t *bytes, size_t size)
{
    size_t offset = 0;
    for (; size - offset >= 3; offset += 3) {
        write_base64_group(out, (uint32_t)bytes[offset] << 16 | (uint32_t)bytes[offset + 1] << 8 | bytes[offset + 2]);
        out += 4;
    }
    size_t rest = size - offset;
    if (rest > 0) {
        uint32_t bits = (uint32_t)bytes[offset] << 16;
        if (rest == 2)
            bits |= (uint32_t)bytes[offset + 1] << 8;
        write_base64_group(out, bits);
        memset(out + 1 + rest, '=', 3 - rest);
        out += 4;
    }
    return out;
}
