#ifndef TESTS_WORKER_SCRIPTED_SHARD_H
#define TESTS_WORKER_SCRIPTED_SHARD_H

/* Stands in for the shard's streams (--wrap): frames are a length of two bytes, which counts itself, and text. It takes
 * as many frames as it has credit for and keeps their texts. Two texts are orders: "close" ends the stream, "close N"
 * the one that was opened as the N-th, as a session does that replaces another. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/stream_connection.h"

#define SCRIPTED_STREAMS_MAX 16
#define SCRIPTED_TAKEN_MAX 65536
#define SCRIPTED_FRAME_MAX 491 /* what a shard leaves of a frame at most */

struct shard_stream {
    struct stream_connection *handle;
    struct address peer;
    bool open;
    unsigned credit; /* frames */
    unsigned lost;
    unsigned drained;
    size_t taken_size;
    char taken[SCRIPTED_TAKEN_MAX]; /* the texts, one behind the other */
};

struct scripted_shard {
    bool refuses; /* the next connection */
    size_t count;
    struct shard_stream streams[SCRIPTED_STREAMS_MAX];
    size_t fed;     /* bytes in the last call, those that had been kept among them */
    char order[64]; /* the numbers of the streams that were fed, in order */
    size_t longest; /* of `fed`, since the start */
};

extern struct scripted_shard scripted_shard;

void scripted_shard_reset(void);

/* Writes a frame; returns its size. */
size_t scripted_frame(uint8_t bytes[static SCRIPTED_FRAME_MAX], const char *text);

#endif
