/* Frames and UTACKs as bytes (docs/protocol.md sections 1 and 4). */
#ifndef TESTS_DEVICE_FRAME_H
#define TESTS_DEVICE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRICT_HEADER_SIZE 12u
#define STRICT_PAYLOAD_MAX 480u
#define STRICT_FRAME_MAX (STRICT_HEADER_SIZE + STRICT_PAYLOAD_MAX)
#define STRICT_AAD_SIZE 10u /* the header without its CRC */
#define STRICT_UTACK_PLAIN 7u
#define STRICT_UTACK_FULL 15u

enum strict_type {
    STRICT_TYPE_HELLO = 0x01,
    STRICT_TYPE_CHALLENGE = 0x02,
    STRICT_TYPE_HELLO_ACK = 0x03,
    STRICT_TYPE_SESSION_OK = 0x04,
    STRICT_TYPE_DATA = 0x05,
    STRICT_TYPE_PING = 0x06,
    STRICT_TYPE_PONG = 0x07,
    STRICT_TYPE_BYE = 0x08,
    STRICT_TYPE_DATA_FRAG = 0x09,
    STRICT_TYPE_HELLO_RETRY = 0x0a,
    STRICT_TYPE_REKEY = 0x0b
};

struct strict_frame {
    uint8_t version;
    uint8_t type;
    uint32_t seq;
    size_t size;            /* of the payload */
    const uint8_t *payload; /* inside the bytes that were read */
    const uint8_t *header;
};

uint16_t strict_crc16(const uint8_t *header, const uint8_t *payload, size_t size);

/* The first STRICT_AAD_SIZE bytes of a header. */
void strict_frame_header(uint8_t version, uint8_t type, uint32_t seq, size_t size, uint8_t out[STRICT_AAD_SIZE]);

/* Header and payload; the frame's size. `size` is at most STRICT_PAYLOAD_MAX. */
size_t strict_frame_write(uint8_t version, uint8_t type, uint32_t seq, const uint8_t *payload, size_t size,
                          uint8_t out[STRICT_FRAME_MAX]);

/* False unless magic, version, length and CRC are right and `size` is the frame's. */
bool strict_frame_read(const uint8_t *bytes, size_t size, uint8_t version, struct strict_frame *frame);

/* What every device looks for first. */
bool strict_has_magic(const uint8_t *bytes, size_t size);
/* The size of the frame that begins with this header, which need not be a right one. */
size_t strict_frame_announced(const uint8_t header[STRICT_HEADER_SIZE]);

/* Those 7 bytes; the MAC behind them is keys.h's. */
void strict_utack_write(uint8_t type, uint32_t seq, uint8_t out[STRICT_UTACK_PLAIN]);
bool strict_is_utack(const uint8_t *bytes, size_t size);

uint32_t strict_read_u32(const uint8_t bytes[4]);

#endif
