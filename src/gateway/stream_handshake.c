#include "gateway/stream_handshake.h"

#include <string.h>

#include <usmp/handshake_messages.h>

#include "admission/admission.h"
#include "gateway/handshake.h"
#include "gateway/handshake_failure.h"
#include "gateway/shard_internal.h"
#include "platform/secret_memory.h"

/* A connection is a proved address: what it does wrong counts. */
static struct handshake_failure failure_of(const struct shard_stream *stream)
{
    struct handshake_failure failure = {
        .transport = USMP_TCP, .version = USMP_WIRE_2, .peer = stream->peer, .proved = true};
    if (stream->handshake != NULL) {
        failure.version = stream->handshake->version;
        failure.device_known = true;
        memcpy(failure.device, stream->handshake->device_id, sizeof failure.device);
    }
    handshake_failure_is_protocol(&failure);
    return failure;
}

/* Closing is the answer, so it comes first. */
static void fail(struct shard_stream *stream, const struct handshake_failure *failure, struct shard_time now)
{
    struct shard *shard = stream->shard;
    stream_close(stream);
    handshake_failed(shard, failure, now);
}

void stream_fail(struct shard_stream *stream, struct shard_time now)
{
    struct handshake_failure failure = failure_of(stream);
    fail(stream, &failure, now);
}

static void refuse_wire(struct shard_stream *stream, uint8_t version, const struct usmp_hello *hello,
                        struct shard_time now)
{
    struct handshake_failure failure = failure_of(stream);
    failure.version = version;
    failure.device_known = true;
    memcpy(failure.device, hello->device_id, sizeof failure.device);
    failure.reason = "wrong_wire";
    fail(stream, &failure, now);
}

bool stream_receive_hello(struct shard_stream *stream, const struct usmp_frame *frame, struct shard_time now)
{
    struct shard *shard = stream->shard;
    struct usmp_hello hello;
    if (!usmp_hello_read(frame, &hello)) {
        stream_fail(stream, now);
        return false;
    }
    if (!handshake_takes_wire(shard, frame->version)) {
        refuse_wire(stream, frame->version, &hello, now);
        return false;
    }
    enum admission_verdict verdict = half_done_admit(shard, &stream->peer, hello.device_id, now);
    if (verdict != ADMISSION_WELCOME) {
        handshake_count(shard, USMP_TCP, frame->version,
                        verdict == ADMISSION_LIMITED ? SHARD_HANDSHAKE_LIMITED : SHARD_HANDSHAKE_LOCKED_OUT);
        stream_close(stream);
        return false;
    }
    stream->handshake = secret_memory_allocate(sizeof *stream->handshake, SECRET_MEMORY_KEYS);
    if (stream->handshake == NULL) {
        admission_handshake_end(shard->admission, &stream->peer);
        handshake_count(shard, USMP_TCP, frame->version, SHARD_HANDSHAKE_LIMITED);
        stream_close(stream);
        return false;
    }
    stream_leave_silent(stream);
    stream->state = STREAM_CHALLENGED;
    handshake_begin(shard, stream->handshake, USMP_TCP, frame->version, &hello, 0, now);
    hash_index_insert(&shard->streams.by_device, &stream->by_device,
                      shard_hash(shard, hello.device_id, sizeof hello.device_id));
    half_done_enter(shard, &stream->half_done, USMP_TCP, now);
    deadlines_set(&shard->deadlines, &stream->deadline, now.monotonic + shard->config->handshake_timeout);

    uint8_t challenge[USMP_CHALLENGE_FRAME];
    usmp_gateway_handshake_challenge(stream->handshake, challenge);
    if (shard->ports.write(shard->ports.context, stream->handle, challenge, sizeof challenge) == SHARD_FAILED) {
        stream_close(stream);
        return false;
    }
    return true;
}

bool stream_receive_hello_ack(struct shard_stream *stream, const struct usmp_frame *frame, struct shard_time now)
{
    struct shard *shard = stream->shard;
    struct usmp_hello_ack hello_ack;
    if (frame->version != stream->handshake->version || !usmp_hello_ack_read(frame, &hello_ack)) {
        stream_fail(stream, now);
        return false;
    }
    struct handshake_failure failure = failure_of(stream);
    uint64_t begun = stream->handshake->begun;
    struct handshake_peer peer = {.stream = stream, .address = &stream->peer, .proved = true};
    struct handshake_end end;
    switch (handshake_finish(shard, stream->handshake, &hello_ack, &peer, now, &end)) {
    case HANDSHAKE_SESSION:
        stream->session = end.session;
        stream->state = STREAM_SESSION;
        stream_end_handshake(stream);
        handshake_cancel_older(shard, failure.device, begun, now);
        return session_run(end.session, now);
    case HANDSHAKE_WRONG:
        handshake_failure_is(&failure, end.wrong);
        fail(stream, &failure, now);
        return false;
    case HANDSHAKE_FORGED:
    case HANDSHAKE_SPENT:
        fail(stream, &failure, now);
        return false;
    case HANDSHAKE_REFUSED:
        stream_close(stream);
        return false;
    }
    return false;
}
