#include <usmp/frame.h>

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "proto/crc16.h"
#include "proto/frame_header.h"
#include "proto/little_endian.h"

#define OFFSET_VERSION 2
#define OFFSET_TYPE 3
#define OFFSET_SEQ 4
#define OFFSET_LENGTH 8
#define OFFSET_CRC USMP_HEADER_AUTHENTIC_SIZE

/* The payload lengths of a type. */
struct lengths {
    uint16_t least;
    uint16_t most; /* 0: there is no such type */
};

static const struct lengths lengths_of[] = {
    [USMP_HELLO] = {USMP_HELLO_PAYLOAD, USMP_HELLO_COOKIE_PAYLOAD},
    [USMP_CHALLENGE] = {USMP_CHALLENGE_PAYLOAD, USMP_CHALLENGE_PAYLOAD},
    [USMP_HELLO_ACK] = {USMP_HELLO_ACK_PAYLOAD, USMP_HELLO_ACK_PAYLOAD},
    [USMP_SESSION_OK] = {USMP_SESSION_OK_PAYLOAD, USMP_SESSION_OK_PAYLOAD},
    [USMP_DATA] = {USMP_RECORD_OVERHEAD, USMP_PAYLOAD_MAX},
    [USMP_PING] = {USMP_CONTROL_PAYLOAD, USMP_CONTROL_PAYLOAD},
    [USMP_PONG] = {USMP_CONTROL_PAYLOAD, USMP_CONTROL_PAYLOAD},
    [USMP_BYE] = {USMP_CONTROL_PAYLOAD, USMP_CONTROL_PAYLOAD},
    [USMP_DATA_FRAG] = {USMP_RECORD_OVERHEAD, USMP_PAYLOAD_MAX},
    [USMP_HELLO_RETRY] = {USMP_HELLO_RETRY_PAYLOAD, USMP_HELLO_RETRY_PAYLOAD},
    [USMP_REKEY] = {USMP_REKEY_PAYLOAD, USMP_REKEY_PAYLOAD},
};

static bool version_is_known(uint8_t version)
{
    return version == USMP_WIRE_1 || version == USMP_WIRE_2;
}

static bool version_has_type(uint8_t version, uint8_t type)
{
    if (type == USMP_HELLO_RETRY || type == USMP_REKEY)
        return version == USMP_WIRE_2;
    return type < sizeof lengths_of / sizeof *lengths_of && lengths_of[type].most > 0;
}

static bool type_has_length(uint8_t version, uint8_t type, size_t length)
{
    /* Two lengths and nothing between them; the cookie is wire 2's. */
    if (type == USMP_HELLO)
        return length == USMP_HELLO_PAYLOAD || (version == USMP_WIRE_2 && length == USMP_HELLO_COOKIE_PAYLOAD);
    return length >= lengths_of[type].least && length <= lengths_of[type].most;
}

/* As far as the bytes that are there tell. */
static enum usmp_frame_verdict check_header(const uint8_t *bytes, size_t size)
{
    if ((size > 0 && bytes[0] != USMP_MAGIC_0) || (size > 1 && bytes[1] != USMP_MAGIC_1))
        return USMP_FRAME_BAD_MAGIC;
    if (size > OFFSET_VERSION && !version_is_known(bytes[OFFSET_VERSION]))
        return USMP_FRAME_BAD_VERSION;
    if (size > OFFSET_TYPE && !version_has_type(bytes[OFFSET_VERSION], bytes[OFFSET_TYPE]))
        return USMP_FRAME_BAD_TYPE;
    if (size >= OFFSET_LENGTH + 2 &&
        !type_has_length(bytes[OFFSET_VERSION], bytes[OFFSET_TYPE], usmp_load_le16(bytes + OFFSET_LENGTH)))
        return USMP_FRAME_BAD_LENGTH;
    return size < USMP_HEADER_SIZE ? USMP_FRAME_INCOMPLETE : USMP_FRAME_COMPLETE;
}

static uint16_t frame_crc(const uint8_t *bytes, size_t length)
{
    uint16_t crc = usmp_crc16(USMP_CRC16_INITIAL, bytes, USMP_HEADER_AUTHENTIC_SIZE);
    return usmp_crc16(crc, bytes + USMP_HEADER_SIZE, length);
}

enum usmp_frame_verdict usmp_frame_parse(const uint8_t *bytes, size_t size, struct usmp_frame *frame, size_t *total)
{
    enum usmp_frame_verdict verdict = check_header(bytes, size);
    if (verdict == USMP_FRAME_INCOMPLETE)
        *total = USMP_HEADER_SIZE;
    if (verdict != USMP_FRAME_COMPLETE)
        return verdict;

    uint16_t length = usmp_load_le16(bytes + OFFSET_LENGTH);
    uint16_t frame_size = (uint16_t)(USMP_HEADER_SIZE + length);
    if (size < frame_size) {
        *total = frame_size;
        return USMP_FRAME_INCOMPLETE;
    }
    if (frame_crc(bytes, length) != usmp_load_le16(bytes + OFFSET_CRC))
        return USMP_FRAME_BAD_CRC;

    *total = frame_size;
    *frame = (struct usmp_frame){
        .version = bytes[OFFSET_VERSION],
        .type = bytes[OFFSET_TYPE],
        .seq = usmp_load_le32(bytes + OFFSET_SEQ),
        .length = length,
        .size = frame_size,
        .payload = bytes + USMP_HEADER_SIZE,
        .bytes = bytes,
    };
    return USMP_FRAME_COMPLETE;
}

enum usmp_frame_verdict usmp_frame_parse_datagram(const uint8_t *bytes, size_t size, struct usmp_frame *frame)
{
    struct usmp_frame parsed;
    size_t total = 0;
    enum usmp_frame_verdict verdict = usmp_frame_parse(bytes, size, &parsed, &total);
    if (verdict == USMP_FRAME_INCOMPLETE)
        return USMP_FRAME_BAD_LENGTH;
    if (verdict != USMP_FRAME_COMPLETE)
        return verdict;
    if (total != size)
        return USMP_FRAME_BAD_LENGTH;
    *frame = parsed;
    return USMP_FRAME_COMPLETE;
}

void usmp_frame_header_begin(uint8_t version, uint8_t type, uint32_t seq, size_t length, uint8_t out[USMP_HEADER_SIZE])
{
    assert(version_is_known(version));
    assert(version_has_type(version, type));
    assert(type_has_length(version, type, length));
    out[0] = USMP_MAGIC_0;
    out[1] = USMP_MAGIC_1;
    out[OFFSET_VERSION] = version;
    out[OFFSET_TYPE] = type;
    usmp_store_le32(out + OFFSET_SEQ, seq);
    usmp_store_le16(out + OFFSET_LENGTH, (uint16_t)length);
}

size_t usmp_frame_header_finish(uint8_t *frame, size_t length)
{
    usmp_store_le16(frame + OFFSET_CRC, frame_crc(frame, length));
    return USMP_HEADER_SIZE + length;
}

size_t usmp_frame_write(uint8_t version, uint8_t type, uint32_t seq, const uint8_t *payload, size_t length,
                        uint8_t *out)
{
    usmp_frame_header_begin(version, type, seq, length, out);
    if (payload != out + USMP_HEADER_SIZE)
        memcpy(out + USMP_HEADER_SIZE, payload, length);
    return usmp_frame_header_finish(out, length);
}

const char *usmp_frame_verdict_name(enum usmp_frame_verdict verdict)
{
    switch (verdict) {
    case USMP_FRAME_COMPLETE:
        return "complete";
    case USMP_FRAME_INCOMPLETE:
        return "incomplete";
    case USMP_FRAME_BAD_MAGIC:
        return "bad magic";
    case USMP_FRAME_BAD_VERSION:
        return "bad version";
    case USMP_FRAME_BAD_TYPE:
        return "bad type";
    case USMP_FRAME_BAD_LENGTH:
        return "bad length";
    case USMP_FRAME_BAD_CRC:
        return "bad CRC";
    }
    return "unknown";
}
