/* One frame: docs/protocol.md section 1. Reading copies nothing; `struct usmp_frame` points into the caller's bytes.
 *
 * What is refused here is what can be told from the frame alone: magic, version, a type that its wire does not have
 * (0xFF and 0x00 are none; REKEY and HELLO_RETRY need wire 2), a length that its type cannot have, the CRC. Whether a
 * frame fits the session (its version, who may send it, its order) is not asked here.
 */
#ifndef USMP_FRAME_H
#define USMP_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

struct usmp_frame {
    uint8_t version;
    uint8_t type; /* one of enum usmp_type */
    uint32_t seq;
    uint16_t length;        /* of the payload */
    uint16_t size;          /* of the whole frame, USMP_HEADER_SIZE + length */
    const uint8_t *payload; /* in `bytes` */
    const uint8_t *bytes;   /* the whole frame */
};

enum usmp_frame_verdict {
    USMP_FRAME_COMPLETE,
    USMP_FRAME_INCOMPLETE, /* right as far as it goes; never the answer for a datagram */
    USMP_FRAME_BAD_MAGIC,
    USMP_FRAME_BAD_VERSION,
    USMP_FRAME_BAD_TYPE,
    USMP_FRAME_BAD_LENGTH,
    USMP_FRAME_BAD_CRC,
};

/* Reads the first frame of a stream's bytes. A fault is found as soon as the byte that shows it is there, before the
 * rest of the header has come. `total` is set with USMP_FRAME_COMPLETE to the frame's size, and with
 * USMP_FRAME_INCOMPLETE to how many bytes, from the frame's first one, are to be there before it pays to call again:
 * USMP_HEADER_SIZE, or the frame's size once the header is there (so never over USMP_FRAME_MAX). `frame` is set with
 * USMP_FRAME_COMPLETE only. */
enum usmp_frame_verdict usmp_frame_parse(const uint8_t *bytes, size_t size, struct usmp_frame *frame,
                                         size_t *total) USMP_MUST_USE;

/* Reads a datagram, which is exactly one frame: fewer or more bytes are USMP_FRAME_BAD_LENGTH. */
enum usmp_frame_verdict usmp_frame_parse_datagram(const uint8_t *bytes, size_t size,
                                                  struct usmp_frame *frame) USMP_MUST_USE;

/* Writes a frame to `out`, which has room for USMP_HEADER_SIZE + length bytes, and returns that size. `payload` may be
 * out + USMP_HEADER_SIZE already. Version, type and length must fit each other; no type has an empty payload. */
size_t usmp_frame_write(uint8_t version, uint8_t type, uint32_t seq, const uint8_t *payload, size_t length,
                        uint8_t *out);

/* For traces and logs. */
const char *usmp_frame_verdict_name(enum usmp_frame_verdict verdict);

#endif
