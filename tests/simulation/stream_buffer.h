/* The bytes of a stream until they are frames. */
#ifndef TESTS_SIMULATION_STREAM_BUFFER_H
#define TESTS_SIMULATION_STREAM_BUFFER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <usmp/frame.h>

#define STREAM_BUFFER_SIZE 65536

struct stream_buffer {
    uint8_t bytes[STREAM_BUFFER_SIZE];
    size_t size;
};

static inline void stream_buffer_append(struct stream_buffer *buffer, const uint8_t *bytes, size_t size)
{
    assert(buffer->size + size <= sizeof buffer->bytes);
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

/* False: there is no whole frame. */
static inline bool stream_buffer_first(const struct stream_buffer *buffer, struct usmp_frame *frame)
{
    size_t total = 0;
    enum usmp_frame_verdict verdict = usmp_frame_parse(buffer->bytes, buffer->size, frame, &total);
    assert(verdict == USMP_FRAME_COMPLETE || verdict == USMP_FRAME_INCOMPLETE);
    return verdict == USMP_FRAME_COMPLETE;
}

static inline void stream_buffer_drop(struct stream_buffer *buffer, size_t size)
{
    memmove(buffer->bytes, buffer->bytes + size, buffer->size - size);
    buffer->size -= size;
}

#endif
