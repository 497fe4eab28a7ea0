/* What a session does by itself as time passes: repeats, PONG, the next fragment (docs/protocol.md section 4). */
#include "proto/session_internal.h"

#include <usmp/fragments.h>

static bool pong_may_leave(const struct usmp_session *session)
{
    return session->outgoing.fence || (session->pongs_held > 0 && !session->outgoing.message);
}

static bool has_outgoing_work(const struct usmp_session *session)
{
    return session->outgoing.type != 0 || session->outgoing.message || pong_may_leave(session);
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

uint64_t usmp_session_deadline(const struct usmp_session *session)
{
    uint64_t deadline = USMP_NEVER;
    if (session->state == USMP_SESSION_ENDED)
        return deadline;
    if (!session->confirmed)
        deadline = earlier(deadline, session->session_ok_until);
    if (session->paused)
        return deadline;
    if (!session->confirmed)
        deadline = earlier(deadline, session->session_ok_due);
    if (has_outgoing_work(session))
        deadline = earlier(deadline, session->outgoing.due);
    return deadline;
}

static enum usmp_session_verdict await_confirmation(struct usmp_session *session, uint64_t now)
{
    if (now >= session->session_ok_until)
        return usmp_session_end(session, USMP_END_UNCONFIRMED);
    if (!session->paused && now >= session->session_ok_due) {
        session->session_ok_due = now + USMP_SESSION_OK_REPEAT_AFTER;
        usmp_session_send_session_ok(session);
    }
    return USMP_SESSION_NOTHING;
}

/* A peer that has not seen a frame of wire 1 takes no later one, and one that may or may not have switched its keys
 * cannot be talked to. */
static enum usmp_session_verdict give_up_flight(struct usmp_session *session, uint64_t now)
{
    uint8_t type = session->outgoing.type;
    if (session->version == USMP_WIRE_1 || type == USMP_BYE || type == USMP_REKEY)
        return usmp_session_end(session, USMP_END_GIVEN_UP);
    usmp_session_land(session, now);
    return USMP_SESSION_NOTHING;
}

static enum usmp_session_verdict continue_flight(struct usmp_session *session, uint64_t now)
{
    if (session->outgoing.under_old_key) {
        usmp_session_restart_message(session, now);
        usmp_session_release_rekey(session);
        return USMP_SESSION_NOTHING;
    }
    if (!usmp_session_is_message_part(session->outgoing.type) && session->outgoing.sends >= USMP_SENDS_MAX)
        return give_up_flight(session, now);
    usmp_session_repeat(session, now);
    return USMP_SESSION_NOTHING;
}

static bool launch_pong(struct usmp_session *session, uint64_t now)
{
    /* Without a block there is no PONG; no device requires one. */
    if (!usmp_session_may_seal(session)) {
        session->pongs_held = 0;
        return true;
    }
    session->outgoing.fence = false;
    if (session->pongs_held > 0)
        session->pongs_held--;
    return usmp_session_launch(session, USMP_PONG, now);
}

/* Nothing is in flight: whose turn it is. */
static enum usmp_session_verdict start_flight(struct usmp_session *session, uint64_t now)
{
    bool is_alive = true;
    if (pong_may_leave(session))
        is_alive = launch_pong(session, now);
    else if (session->outgoing.message)
        is_alive = usmp_session_launch(session,
                                       usmp_fragment_at(session->outgoing.size, session->outgoing.fragment).type, now);
    return is_alive ? USMP_SESSION_NOTHING : USMP_SESSION_OVER;
}

enum usmp_session_verdict usmp_session_advance(struct usmp_session *session, uint64_t now)
{
    if (session->state == USMP_SESSION_ENDED)
        return USMP_SESSION_NOTHING;
    if (!session->confirmed)
        return await_confirmation(session, now);
    if (session->paused || now < session->outgoing.due)
        return USMP_SESSION_NOTHING;
    if (session->outgoing.type != 0) {
        enum usmp_session_verdict verdict = continue_flight(session, now);
        if (verdict != USMP_SESSION_NOTHING || session->outgoing.type != 0)
            return verdict;
    }
    return start_flight(session, now);
}
