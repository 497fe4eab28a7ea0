/* BYE from either side, and what is still answered after it (docs/protocol.md section 3). */
#include "proto/session_internal.h"

enum usmp_session_verdict usmp_session_receive_bye(struct usmp_session *session, uint32_t seq, uint64_t now)
{
    usmp_session_pass(session, seq);
    usmp_session_acknowledge(session, USMP_BYE, seq);
    if (usmp_session_is_udp(session))
        session->linger_until = now + USMP_LINGER;
    return usmp_session_end(session, USMP_END_BYE);
}

static bool is_known(const struct usmp_session *session, uint32_t seq)
{
    if (session->version == USMP_WIRE_2)
        return usmp_replay_window_check(&session->window, seq) == USMP_REPLAY_DUPLICATE;
    return seq == session->receive_next - 1;
}

enum usmp_session_verdict usmp_session_linger(struct usmp_session *session, const struct usmp_frame *frame,
                                              uint8_t *scratch, uint64_t now)
{
    if (now >= session->linger_until || frame->type != USMP_BYE || !is_known(session, frame->seq))
        return USMP_SESSION_UNEXPECTED;
    size_t size;
    if (!usmp_session_open(session, frame, scratch, &size))
        return USMP_SESSION_NOT_AUTHENTIC;
    usmp_session_acknowledge(session, USMP_BYE, frame->seq);
    return USMP_SESSION_DUPLICATE;
}

/* A device that waits for SESSION_OK takes nothing else, so there is no BYE to an unconfirmed session either. */
static bool may_say_bye(struct usmp_session *session)
{
    return session->may_send && session->confirmed && usmp_session_may_seal(session);
}

/* Whatever else was out is given up. */
static void fly_bye(struct usmp_session *session, uint64_t now)
{
    session->state = USMP_SESSION_CLOSING;
    session->outgoing = (struct usmp_outgoing){0};
    usmp_session_release_rekey(session);
    bool launched = usmp_session_launch(session, USMP_BYE, now);
    (void)launched; /* BYE may use the last seq */
}

void usmp_session_close(struct usmp_session *session, uint64_t now)
{
    if (session->state != USMP_SESSION_LIVE)
        return;
    session->end = USMP_END_CLOSED;
    session->deferred = false;
    if (usmp_session_is_udp(session) && may_say_bye(session)) {
        fly_bye(session, now);
        return;
    }
    if (!usmp_session_is_udp(session) && may_say_bye(session)) {
        bool written = usmp_session_write(session, USMP_BYE, NULL, 0);
        (void)written; /* it ends in either case */
    }
    usmp_session_end(session, USMP_END_CLOSED);
}
