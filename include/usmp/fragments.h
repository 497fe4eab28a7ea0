/* How a message is cut into frames: docs/protocol.md section 3. Every frame but the last is full, as SDKs do it. */
#ifndef USMP_FRAGMENTS_H
#define USMP_FRAGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

struct usmp_fragment {
    size_t offset; /* in the message */
    size_t size;
    uint8_t type; /* USMP_DATA for the last one, USMP_DATA_FRAG before it */
};

/* 1 to USMP_FRAGMENTS_MAX, for a message of at most USMP_MESSAGE_MAX bytes; an empty one has one frame. */
size_t usmp_fragment_count(size_t message_size);

/* `index` from 0, below the count. */
struct usmp_fragment usmp_fragment_at(size_t message_size, size_t index);

#endif
