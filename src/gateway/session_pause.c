#include "gateway/session.h"

#include "gateway/shard_internal.h"
#include "gateway/stream.h"

#define REPEAT_GRACE UINT64_C(5000000) /* microseconds: the longest interval at which SDKs repeat a frame */
#define RETRY_AFTER UINT64_C(250000)   /* microseconds until memory that was short is looked for again */

void session_touch(struct session *session, struct shard_time now)
{
    session->last_activity = now.monotonic;
}

void session_retry(struct session *session, struct shard_time now)
{
    session->retry_at = now.monotonic + RETRY_AFTER;
}

void session_pause(struct session *session, bool retry, struct shard_time now)
{
    struct shard *shard = session->shard;
    if (session->stream == NULL) {
        session->last_activity = now.monotonic + REPEAT_GRACE;
        return;
    }
    if (retry) {
        session_retry(session, now);
    }
    if (session->is_paused) {
        return;
    }
    session->is_paused = true;
    session->paused_before = shard->paused_last;
    session->paused_next = NULL;
    *(shard->paused_last != NULL ? &shard->paused_last->paused_next : &shard->paused_first) = session;
    shard->paused_last = session;
}

bool session_leave_paused(struct session *session)
{
    struct shard *shard = session->shard;
    session->retry_at = DEADLINE_NEVER;
    if (!session->is_paused) {
        return false;
    }
    session->is_paused = false;
    *(session->paused_before != NULL ? &session->paused_before->paused_next : &shard->paused_first) =
        session->paused_next;
    *(session->paused_next != NULL ? &session->paused_next->paused_before : &shard->paused_last) =
        session->paused_before;
    return true;
}

void session_unpause(struct session *session, struct shard_time now)
{
    if (session_leave_paused(session)) {
        session->last_activity = now.monotonic;
        stream_resume(session->stream);
    }
}
