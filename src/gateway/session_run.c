/* What a session does by itself: what is due, what the last input made possible, and what is left to do once it has
 * ended. */
#include "gateway/session.h"

#include "gateway/downlink.h"
#include "gateway/session_events.h"
#include "gateway/session_hold.h"
#include "gateway/shard_internal.h"

#define LINGERING_MAX 16384u     /* ended sessions whose copies of BYE are still answered; more are forgotten at once */
#define LINGERING_AT_PATH_MAX 4u /* … at one address and port, where each of its UTACKs looks at all of them */
#define OWED_AFTER UINT64_C(250000) /* microseconds until an end that could not be told is tried again */

/* Whether there is still something to answer or to repeat over UDP. */
static bool wire_lingers(const struct session *session, uint64_t now)
{
    if (session->wire.transport != USMP_UDP || session->forgotten || session->shard->lingering_count > LINGERING_MAX) {
        return false;
    }
    return session->wire.state == USMP_SESSION_CLOSING ||
           (session->wire.state == USMP_SESSION_ENDED && session->wire.linger_until > now);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_due(const struct session *session)
{
    uint64_t due = usmp_session_deadline(&session->wire);
    due = earlier(due, earlier(session->retry_at, session->commands_due));
    due = earlier(due, session_hold_deadline(session));
    if (session->timeout != 0 && !session->is_paused) {
        due = earlier(due, session->last_activity + session->timeout);
    }
    return due;
}

static uint64_t next_due_lingering(const struct session *session, struct shard_time now)
{
    uint64_t due = session->untold ? now.monotonic + OWED_AFTER : DEADLINE_NEVER;
    if (session->wire.state == USMP_SESSION_CLOSING) {
        return earlier(due, usmp_session_deadline(&session->wire));
    }
    return wire_lingers(session, now.monotonic) ? earlier(due, session->wire.linger_until) : due;
}

/* Only ever brings the deadline forward; that it came too early is found out when it comes. */
static void schedule(struct session *session, struct shard_time now)
{
    uint64_t due = session->live ? next_due(session) : next_due_lingering(session, now);
    if (due < session->deadline.due) {
        deadlines_set(&session->shard->deadlines, &session->deadline, due);
    }
}

void session_keep_few_lingering(struct session *ended, struct shard_time now)
{
    struct session *oldest = NULL;
    size_t count = 0;
    for (struct session *session = session_first_at(ended->shard, &ended->path); session != NULL;
         session = session_next_at(session, &ended->path)) {
        if (session->live || session->forgotten) {
            continue;
        }
        count++;
        if (oldest == NULL || session->handshake_begun < oldest->handshake_begun) {
            oldest = session;
        }
    }
    if (count > LINGERING_AT_PATH_MAX) {
        oldest->forgotten = true;
        deadlines_set(&oldest->shard->deadlines, &oldest->deadline, now.monotonic);
    }
}

/* A session that has ended stays for as long as its wire has something to say, and until its end has been told. One
 * that is only there to be told is found by nobody: its wire may still believe that it is live. */
void session_linger(struct session *session, struct shard_time now)
{
    bool lingers = wire_lingers(session, now.monotonic);
    if (!lingers && !session->untold) {
        session_destroy(session);
        return;
    }
    if (!lingers) {
        session_leave_tables(session);
    }
    schedule(session, now);
}

static void run_lingering(struct session *session, struct shard_time now)
{
    if (session->untold) {
        session_tell_disconnected(session, now);
    }
    if (session->wire.state == USMP_SESSION_CLOSING) {
        (void)!usmp_session_advance(&session->wire, now.monotonic); /* that it is over, its state says */
    }
    session_linger(session, now);
}

/* Whether its wire or its stream has come to an end, and ends it then. */
static bool has_ended(struct session *session, struct shard_time now)
{
    if (session->stream_failed) {
        session_end(session, SEAM_PEER, now);
        return true;
    }
    if (session->wire.state != USMP_SESSION_LIVE) {
        session_end(session, session_reason(session->wire.end), now);
        return true;
    }
    return false;
}

bool session_run(struct session *session, struct shard_time now)
{
    if (session->deadline.due <= now.monotonic) {
        deadlines_set(&session->shard->deadlines, &session->deadline, DEADLINE_NEVER);
    }
    if (session->wire.paused || session->moved) {
        session->moved = false;
        session_hold_update(session, now);
    }
    if (!session->live) {
        run_lingering(session, now);
        return false;
    }
    (void)!usmp_session_advance(&session->wire, now.monotonic); /* that it is over, its state says */
    downlink_expire(session, now.monotonic);
    if (has_ended(session, now)) {
        return false;
    }
    if (session->retry_at <= now.monotonic) {
        session_unpause(session, now);
    }
    if (session->timeout != 0 && !session->is_paused && now.monotonic >= session->last_activity + session->timeout) {
        session_end(session, SEAM_TIMEOUT, now);
        return false;
    }
    downlink_start(session, now);
    if (has_ended(session, now)) {
        return false;
    }
    schedule(session, now);
    return true;
}
