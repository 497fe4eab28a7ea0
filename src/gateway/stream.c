#include "gateway/stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <usmp/frame.h>

#include "admission/admission.h"
#include "gateway/downlink.h"
#include "gateway/handshake_failure.h"
#include "gateway/shard_internal.h"
#include "gateway/stream_handshake.h"
#include "gateway/uplink.h"
#include "platform/address_prefix.h"
#include "platform/secret_memory.h"

static void enter_list(struct shard_stream *stream)
{
    struct stream_table *table = &stream->shard->streams;
    stream->older = table->newest;
    if (stream->older != NULL) {
        stream->older->newer = stream;
    }
    table->newest = stream;
}

static void leave_list(struct shard_stream *stream)
{
    struct stream_table *table = &stream->shard->streams;
    if (stream->older != NULL) {
        stream->older->newer = stream->newer;
    }
    *(stream->newer != NULL ? &stream->newer->older : &table->newest) = stream->older;
}

void stream_leave_silent(struct shard_stream *stream)
{
    struct shard_stream *moved = silent_streams_leave(&stream->shard->streams.silent, stream->silent_place);
    if (moved != NULL) {
        moved->silent_place = stream->silent_place;
    }
}

/* Gives back what belongs to the handshake and not to a session. */
void stream_end_handshake(struct shard_stream *stream)
{
    if (stream->handshake != NULL) {
        hash_index_remove(&stream->shard->streams.by_device, &stream->by_device);
        half_done_leave(stream->shard, &stream->half_done);
        admission_handshake_end(stream->shard->admission, &stream->peer);
        usmp_gateway_handshake_wipe(stream->handshake);
        secret_memory_free(stream->handshake);
        stream->handshake = NULL;
    }
    deadlines_set(&stream->shard->deadlines, &stream->deadline, DEADLINE_NEVER);
}

static void destroy(struct shard_stream *stream)
{
    if (stream->state == STREAM_SILENT) {
        stream_leave_silent(stream);
    }
    stream_leave_waiting(stream);
    stream_end_handshake(stream);
    deadlines_release(&stream->shard->deadlines);
    leave_list(stream);
    free(stream);
}

void stream_close(struct shard_stream *stream)
{
    struct shard *shard = stream->shard;
    void *handle = stream->handle;
    destroy(stream);
    shard->ports.close(shard->ports.context, handle);
}

void stream_resume(struct shard_stream *stream)
{
    stream->shard->ports.resume(stream->shard->ports.context, stream->handle);
}

void stream_cancel_older(struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE], uint64_t begun)
{
    uint64_t hash = shard_hash(shard, device, USMP_DEVICE_ID_SIZE);
    struct hash_link *link = hash_index_first(&shard->streams.by_device, hash);
    while (link != NULL) {
        struct shard_stream *stream = HASH_INDEX_OBJECT(link, struct shard_stream, by_device);
        link = hash_index_next(link);
        if (stream->handshake->begun <= begun &&
            memcmp(stream->handshake->device_id, device, USMP_DEVICE_ID_SIZE) == 0) {
            stream_close(stream);
        }
    }
}

enum hash_index_result stream_open_table(struct stream_table *table)
{
    return silent_streams_open(&table->silent) ? hash_index_open(&table->by_device) : HASH_INDEX_NO_MEMORY;
}

void stream_close_all(struct shard *shard)
{
    while (shard->streams.newest != NULL) {
        struct shard_stream *stream = shard->streams.newest;
        destroy(stream);
        assert(shard->streams.newest != stream);
    }
    hash_index_close(&shard->streams.by_device);
    silent_streams_close(&shard->streams.silent);
}

static struct silent_origin origin_of(const struct shard *shard, const struct address *peer)
{
    const struct config_prefixes *trusted = &shard->config->limits.trusted;
    struct address_prefix host = address_prefix_host(peer);
    struct address_prefix site = address_prefix_site(peer);
    return (struct silent_origin){.trusted = address_prefixes_contain(trusted->items, trusted->count, peer),
                                  .host = shard_hash(shard, &host, sizeof host),
                                  .site = shard_hash(shard, &site, sizeof site)};
}

/* Room among the silent ones. False: not for this one. */
static bool make_room(struct shard *shard, const struct silent_origin *origin)
{
    struct shard_stream *leaves = NULL;
    switch (silent_streams_judge(&shard->streams.silent, origin, shard->ports.random, shard->ports.context, &leaves)) {
    case SILENT_WELCOME:
        return true;
    case SILENT_WELCOME_FOR_ANOTHER:
        stream_close(leaves);
        return true;
    case SILENT_TURNED_AWAY:
        return false;
    }
    return false;
}

struct shard_stream *shard_stream_open(struct shard *shard, const struct address *peer, void *handle,
                                       struct shard_time now)
{
    struct address address = address_normalised(peer);
    if (shard->draining || admission_is_locked_out(shard->admission, &address, NULL, now.monotonic)) {
        return NULL;
    }
    struct silent_origin origin = origin_of(shard, &address);
    if (!make_room(shard, &origin) || !deadlines_reserve(&shard->deadlines)) {
        return NULL;
    }
    struct shard_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        deadlines_release(&shard->deadlines);
        return NULL;
    }
    stream->shard = shard;
    stream->handle = handle;
    stream->peer = address;
    stream->state = STREAM_SILENT;
    deadline_init(&stream->deadline, DEADLINE_STREAM);
    enter_list(stream);
    stream->silent_place = silent_streams_enter(&shard->streams.silent, stream, &origin);
    uint64_t timeout = shard->config->handshake_timeout;
    timeout = timeout < STREAM_SILENT_TIMEOUT ? timeout : STREAM_SILENT_TIMEOUT;
    deadlines_set(&shard->deadlines, &stream->deadline, now.monotonic + timeout);
    return stream;
}

static void end_for_protocol(struct shard_stream *stream, struct shard_time now)
{
    if (stream->session != NULL) {
        session_end(stream->session, SEAM_PROTOCOL, now);
    } else {
        stream_fail(stream, now);
    }
}

static enum shard_reading receive_frame(struct shard_stream *stream, const struct usmp_frame *frame,
                                        struct shard_time now)
{
    if (stream->state != STREAM_SESSION && !stream_may_be_looked_at(stream, now)) {
        return SHARD_READ_PAUSED;
    }
    switch (stream->state) {
    case STREAM_SILENT:
        return stream_receive_hello(stream, frame, now) ? SHARD_READ_ON : SHARD_READ_CLOSED;
    case STREAM_CHALLENGED:
        return stream_receive_hello_ack(stream, frame, now) ? SHARD_READ_ON : SHARD_READ_CLOSED;
    case STREAM_SESSION:
        break;
    }
    if (!usmp_type_is_encrypted(frame->type)) {
        end_for_protocol(stream, now);
        return SHARD_READ_CLOSED;
    }
    switch (uplink_frame(stream->session, frame, NULL, now)) {
    case UPLINK_DONE:
        return SHARD_READ_ON;
    case UPLINK_NO_ROOM:
        return SHARD_READ_PAUSED;
    case UPLINK_ENDED:
        return SHARD_READ_CLOSED;
    }
    return SHARD_READ_CLOSED;
}

static enum shard_reading read_frames(struct shard_stream *stream, const uint8_t *bytes, size_t size, size_t *consumed,
                                      struct shard_time now)
{
    size_t offset = 0;
    enum shard_reading reading = SHARD_READ_ON;
    while (reading == SHARD_READ_ON && offset < size) {
        struct usmp_frame frame;
        size_t total;
        enum usmp_frame_verdict verdict = usmp_frame_parse(bytes + offset, size - offset, &frame, &total);
        if (verdict == USMP_FRAME_INCOMPLETE) {
            break;
        }
        if (verdict != USMP_FRAME_COMPLETE) {
            end_for_protocol(stream, now);
            return SHARD_READ_CLOSED;
        }
        reading = receive_frame(stream, &frame, now);
        if (reading == SHARD_READ_ON) {
            offset += total;
        }
    }
    *consumed = offset;
    return reading;
}

enum shard_reading shard_stream_bytes(struct shard *shard, struct shard_stream *stream, const uint8_t *bytes,
                                      size_t size, size_t *consumed, struct shard_time now)
{
    enum shard_reading reading = read_frames(stream, bytes, size, consumed, now);
    secret_memory_wipe(shard->scratch, sizeof shard->scratch);
    return reading;
}

void shard_stream_drained(struct shard *shard, struct shard_stream *stream, struct shard_time now)
{
    (void)shard;
    if (stream->session != NULL) {
        downlink_drained(stream->session);
        (void)!session_run(stream->session, now);
    }
}

void shard_stream_lost(struct shard *shard, struct shard_stream *stream, struct shard_time now)
{
    (void)shard;
    struct session *session = stream->session;
    destroy(stream);
    if (session != NULL) {
        session->stream = NULL;
        session_end(session, SEAM_PEER, now);
    }
}

void stream_due(struct shard_stream *stream, struct shard_time now)
{
    (void)now;
    if (stream->handshake != NULL) {
        handshake_count(stream->shard, USMP_TCP, stream->handshake->version, SHARD_HANDSHAKE_TIMEOUT);
    }
    stream_close(stream);
}
