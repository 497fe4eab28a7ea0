#include "gateway/stream_waiting.h"

#include "gateway/shard_internal.h"

static void wait(struct shard_stream *stream)
{
    struct stream_waiting *waiting = &stream->shard->streams.waiting;
    stream->waits = true;
    stream->waits_before = waiting->last;
    stream->waits_behind = NULL;
    *(waiting->last != NULL ? &waiting->last->waits_behind : &waiting->first) = stream;
    waiting->last = stream;
}

void stream_leave_waiting(struct shard_stream *stream)
{
    struct stream_waiting *waiting = &stream->shard->streams.waiting;
    if (!stream->waits) {
        return;
    }
    stream->waits = false;
    *(stream->waits_before != NULL ? &stream->waits_before->waits_behind : &waiting->first) = stream->waits_behind;
    *(stream->waits_behind != NULL ? &stream->waits_behind->waits_before : &waiting->last) = stream->waits_before;
}

bool stream_may_be_looked_at(struct shard_stream *stream, struct shard_time now)
{
    struct shard *shard = stream->shard;
    if (!stream->goes_on && !strangers_may_spend(shard)) {
        stream->frame_came = now.monotonic;
        wait(stream);
        return false;
    }
    strangers_spend(shard, STRANGER_COST_FRAME);
    shard->strangers.hello_came = stream->goes_on ? stream->frame_came : now.monotonic;
    stream->goes_on = false;
    return true;
}

static unsigned expected_cost(const struct shard_stream *stream)
{
    return STRANGER_COST_FRAME +
           (stream->state == STREAM_SILENT ? STRANGER_COST_CHALLENGE : STRANGER_COST_CHECK + STRANGER_COST_SESSION);
}

unsigned stream_let_go_on(struct shard *shard, unsigned share)
{
    unsigned expected = 0;
    struct shard_stream *stream;
    while (expected < share && (stream = shard->streams.waiting.first) != NULL) {
        stream_leave_waiting(stream);
        stream->goes_on = true;
        expected += expected_cost(stream);
        stream_resume(stream);
    }
    return expected;
}

bool stream_any_waits(const struct shard *shard)
{
    return shard->streams.waiting.first != NULL;
}
