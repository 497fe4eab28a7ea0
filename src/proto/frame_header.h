/* Writing a frame in two steps, for payloads that are made in place: the header authenticates the payload, and the
 * CRC covers the encrypted payload. Internal to libusmp; others use usmp/frame.h.
 */
#ifndef PROTO_FRAME_HEADER_H
#define PROTO_FRAME_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

/* Writes the header but for its CRC. Version, type and length must fit each other. */
void usmp_frame_header_begin(uint8_t version, uint8_t type, uint32_t seq, size_t length, uint8_t out[USMP_HEADER_SIZE]);

/* Writes the CRC over header and payload of a frame that is there but for it. Returns the frame's size. */
size_t usmp_frame_header_finish(uint8_t *frame, size_t length);

#endif
