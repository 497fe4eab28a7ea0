/* PING, PONG and REKEY, and how many of them a peer may send (docs/protocol.md section 3). */
#include "proto/session_internal.h"

/* A token bucket, kept as the time when it will be full again. */
static uint64_t full_at(const struct usmp_session *session, uint64_t now)
{
    return session->control_budget > now ? session->control_budget : now;
}

static bool has_budget(const struct usmp_session *session, uint64_t now)
{
    return full_at(session, now) - now <= (USMP_CONTROL_BURST - 1) * (uint64_t)USMP_CONTROL_INTERVAL;
}

static void spend_budget(struct usmp_session *session, uint64_t now)
{
    session->control_budget = full_at(session, now) + USMP_CONTROL_INTERVAL;
}

static enum usmp_session_verdict answer_ping(struct usmp_session *session)
{
    if (!session->may_send)
        return USMP_SESSION_NOTHING;
    if (!usmp_session_is_udp(session)) {
        /* Without a block there is no PONG; no device requires one. */
        bool written = usmp_session_write(session, USMP_PONG, NULL, 0);
        return written || session->state == USMP_SESSION_LIVE ? USMP_SESSION_NOTHING : USMP_SESSION_OVER;
    }
    if (session->pongs_held < USMP_PONGS_HELD_MAX)
        session->pongs_held++;
    return USMP_SESSION_NOTHING;
}

enum usmp_session_verdict usmp_session_control(struct usmp_session *session, const struct usmp_frame *frame,
                                               const uint8_t *plaintext, uint64_t now)
{
    if (!has_budget(session, now))
        return usmp_session_end(session, USMP_END_PROTOCOL);
    if (frame->type == USMP_REKEY) {
        enum usmp_session_verdict verdict = usmp_session_receive_rekey(session, frame, plaintext, now);
        if (verdict == USMP_SESSION_NOTHING)
            spend_budget(session, now);
        return verdict;
    }
    spend_budget(session, now);
    usmp_session_commit(session, frame->type, frame->seq);
    return frame->type == USMP_PING ? answer_ping(session) : USMP_SESSION_NOTHING;
}
