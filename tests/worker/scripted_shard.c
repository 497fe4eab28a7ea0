#include "worker/scripted_shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scripted_shard scripted_shard;

void scripted_shard_reset(void)
{
    memset(&scripted_shard, 0, sizeof scripted_shard);
}

size_t scripted_frame(uint8_t bytes[static SCRIPTED_FRAME_MAX], const char *text)
{
    size_t size = 2 + strlen(text);
    bytes[0] = (uint8_t)(size >> 8);
    bytes[1] = (uint8_t)size;
    memcpy(bytes + 2, text, size - 2);
    return size;
}

struct shard_stream *__wrap_shard_stream_open(struct shard *shard, const struct address *peer, void *handle,
                                              struct shard_time now);
struct shard_stream *__wrap_shard_stream_open(struct shard *shard, const struct address *peer, void *handle,
                                              struct shard_time now)
{
    (void)shard;
    (void)now;
    if (scripted_shard.refuses || scripted_shard.count == SCRIPTED_STREAMS_MAX)
        return NULL;
    struct shard_stream *stream = &scripted_shard.streams[scripted_shard.count++];
    stream->handle = handle;
    stream->peer = *peer;
    stream->open = true;
    stream->credit = UINT32_MAX;
    return stream;
}

static void end(struct shard_stream *stream)
{
    stream->open = false;
    stream_connection_close(stream->handle);
}

static void take(struct shard_stream *stream, const char *text, size_t size)
{
    if (size >= 5 && memcmp(text, "close", 5) == 0) {
        if (size > 6)
            stream = &scripted_shard.streams[text[6] - '0'];
        if (stream->open)
            end(stream);
        return;
    }
    memcpy(stream->taken + stream->taken_size, text, size);
    stream->taken_size += size;
}

enum shard_reading __wrap_shard_stream_bytes(struct shard *shard, struct shard_stream *stream, const uint8_t *bytes,
                                             size_t size, size_t *consumed, struct shard_time now);
enum shard_reading __wrap_shard_stream_bytes(struct shard *shard, struct shard_stream *stream, const uint8_t *bytes,
                                             size_t size, size_t *consumed, struct shard_time now)
{
    (void)shard;
    (void)now;
    size_t length = strlen(scripted_shard.order);
    if (length + 1 < sizeof scripted_shard.order)
        scripted_shard.order[length] = (char)('0' + (stream - scripted_shard.streams));
    scripted_shard.fed = size;
    scripted_shard.longest = size > scripted_shard.longest ? size : scripted_shard.longest;
    size_t offset = 0;
    while (size - offset >= 2) {
        size_t total = (size_t)(bytes[offset] << 8 | bytes[offset + 1]);
        if (total > size - offset)
            break;
        if (stream->credit == 0) {
            *consumed = offset;
            return SHARD_READ_PAUSED;
        }
        stream->credit--;
        take(stream, (const char *)bytes + offset + 2, total - 2);
        if (!stream->open)
            return SHARD_READ_CLOSED;
        offset += total;
    }
    *consumed = offset;
    return SHARD_READ_ON;
}

void __wrap_shard_stream_drained(struct shard *shard, struct shard_stream *stream, struct shard_time now);
void __wrap_shard_stream_drained(struct shard *shard, struct shard_stream *stream, struct shard_time now)
{
    (void)shard;
    (void)now;
    stream->drained++;
}

void __wrap_shard_stream_lost(struct shard *shard, struct shard_stream *stream, struct shard_time now);
void __wrap_shard_stream_lost(struct shard *shard, struct shard_stream *stream, struct shard_time now)
{
    (void)shard;
    (void)now;
    stream->lost++;
    stream->open = false;
}
