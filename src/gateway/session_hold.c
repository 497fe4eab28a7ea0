#include "gateway/session_hold.h"

#include "gateway/pending.h"
#include "gateway/shard_internal.h"

static bool holds(const struct pending *pending, const struct session *session, struct shard_time now)
{
    if (pending->handshake.version == USMP_WIRE_2) {
        return pending->proved;
    }
    return session->wire.version == USMP_WIRE_1 && now.monotonic < session->held_until;
}

void session_hold_update(struct session *session, struct shard_time now)
{
    if (now.monotonic >= session->held_until) {
        session->held_until = 0;
    }
    bool held = false;
    for (const struct pending *pending = pending_first(session->shard, &session->path); pending != NULL && !held;
         pending = pending_next(session->shard, pending)) {
        held = holds(pending, session, now);
    }
    if (held != session->wire.paused) {
        usmp_session_pause(&session->wire, held, now.monotonic);
    }
}

/* Forged ones would keep a session silent for ever if each began a hold of its own. */
static void begin_wire_1(struct session *session, struct shard_time now)
{
    if (now.monotonic >= session->hold_again) {
        session->held_until = now.monotonic + SESSION_HOLD_WIRE_1;
        session->hold_again = now.monotonic + SESSION_HOLD_AGAIN;
    }
}

/* It runs soon: whoever ends a handshake may be at work with a session himself. */
static void change(struct session *session, struct shard_time now)
{
    session_hold_update(session, now);
    deadlines_set(&session->shard->deadlines, &session->deadline, now.monotonic);
}

void session_hold_begin(struct shard *shard, const struct pending *pending, struct shard_time now)
{
    for (struct session *session = session_first_at(shard, &pending->path); session != NULL;
         session = session_next_at(session, &pending->path)) {
        if (pending->handshake.version == USMP_WIRE_1) {
            begin_wire_1(session, now);
        }
        change(session, now);
    }
}

void session_hold_end(struct shard *shard, const struct shard_path *path, struct shard_time now)
{
    for (struct session *session = session_first_at(shard, path); session != NULL;
         session = session_next_at(session, path)) {
        if (session->wire.paused) {
            change(session, now);
        }
    }
}

void session_hold_end_all(struct shard *shard, struct shard_time now)
{
    for (struct session *session = shard->newest_session; session != NULL; session = session->older) {
        if (session->wire.paused) {
            change(session, now);
        }
    }
}

uint64_t session_hold_deadline(const struct session *session)
{
    return session->wire.paused && session->held_until != 0 ? session->held_until : DEADLINE_NEVER;
}
