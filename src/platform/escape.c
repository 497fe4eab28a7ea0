#include "platform/escape.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "platform/utf8.h"

#define PIECE_SIZE 16 /* the longest: four bytes as \xNN */

enum style {
    STYLE_PLAIN,
    STYLE_QUOTED,
    STYLE_JSON,
};

static const char HEX[] = "0123456789abcdef";

static bool is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

/* Characters that are printable by themselves, but move what stands around them (UAX #9) or end the line. */
static bool rearranges(uint32_t code_point)
{
    return code_point == 0x061c || code_point == 0x200e || code_point == 0x200f ||
           (code_point >= 0x2028 && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069);
}

static size_t write_bytes(const uint8_t *bytes, size_t count, char *piece)
{
    for (size_t i = 0; i < count; i++) {
        const char escaped[] = {'\\', 'x', HEX[bytes[i] >> 4], HEX[bytes[i] & 15]};
        memcpy(piece + sizeof escaped * i, escaped, sizeof escaped);
    }
    return 4 * count;
}

static size_t write_code_point(uint32_t code_point, char *piece)
{
    const char escaped[] = {'\\',
                            'u',
                            HEX[code_point >> 12 & 15],
                            HEX[code_point >> 8 & 15],
                            HEX[code_point >> 4 & 15],
                            HEX[code_point & 15]};
    memcpy(piece, escaped, sizeof escaped);
    return sizeof escaped;
}

/* Writes one character or escape and says how many bytes of input it stands for. */
static size_t escape_one(enum style style, const uint8_t *bytes, size_t count, char piece[static PIECE_SIZE],
                         size_t *consumed)
{
    uint32_t code_point;
    size_t length = utf8_decode(bytes, count, &code_point);
    *consumed = length != 0 ? length : 1;
    if (length == 0)
        return style == STYLE_JSON ? write_code_point(0xfffd, piece) : write_bytes(bytes, 1, piece);
    if (is_control(code_point))
        return style == STYLE_JSON ? write_code_point(code_point, piece) : write_bytes(bytes, length, piece);
    if (rearranges(code_point))
        return write_code_point(code_point, piece);
    size_t backslash = code_point == '\\' || (code_point == '"' && style != STYLE_PLAIN) ? 1 : 0;
    piece[0] = '\\';
    memcpy(piece + backslash, bytes, length);
    return backslash + length;
}

static size_t escape_all(enum style style, const void *data, size_t count, char *text, size_t size)
{
    assert(size >= 1);
    const uint8_t *bytes = data;
    size_t offset = 0;
    size_t written = 0;
    while (offset < count) {
        char piece[PIECE_SIZE];
        size_t consumed;
        size_t length = escape_one(style, bytes + offset, count - offset, piece, &consumed);
        if (length >= size - written)
            break;
        memcpy(text + written, piece, length);
        written += length;
        offset += consumed;
    }
    text[written] = '\0';
    return offset;
}

size_t escape_text(const void *data, size_t count, char *text, size_t size)
{
    return escape_all(STYLE_PLAIN, data, count, text, size);
}

size_t escape_quoted(const void *data, size_t count, char *text, size_t size)
{
    return escape_all(STYLE_QUOTED, data, count, text, size);
}

size_t escape_json(const void *data, size_t count, char *text, size_t size)
{
    return escape_all(STYLE_JSON, data, count, text, size);
}
