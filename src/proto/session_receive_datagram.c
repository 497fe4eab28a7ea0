/* A frame of the peer over UDP: what is not authentic and expected is dropped, what is known is answered again
 * (docs/protocol.md sections 3 and 4).
 */
#include "proto/session_internal.h"

#include "proto/sent_tags.h"

enum order {
    ORDER_NEW,
    ORDER_KNOWN, /* accepted before, or too old to tell */
    ORDER_WRONG, /* wire 1: neither the next nor a repeat of the last */
};

static enum order order_of(const struct usmp_session *session, uint32_t seq)
{
    if (session->version == USMP_WIRE_2)
        return usmp_replay_window_check(&session->window, seq) == USMP_REPLAY_NEW ? ORDER_NEW : ORDER_KNOWN;
    if (seq == session->receive_next)
        return ORDER_NEW;
    return session->receive_next > 0 && seq == session->receive_next - 1 ? ORDER_KNOWN : ORDER_WRONG;
}

static bool is_newest(const struct usmp_session *session, uint32_t seq)
{
    return session->version == USMP_WIRE_1 || session->window.bitmap == 0 || seq > session->window.highest;
}

static bool is_for_session(const struct usmp_session *session, const struct usmp_frame *frame)
{
    return frame->version == session->version && usmp_type_is_encrypted(frame->type);
}

enum usmp_session_verdict usmp_session_receive_datagram(struct usmp_session *session, const struct usmp_frame *frame,
                                                        uint8_t *scratch, uint64_t now)
{
    if (!is_for_session(session, frame))
        return USMP_SESSION_UNEXPECTED;
    if (session->sent_tags != NULL && usmp_sent_tags_know(session->sent_tags, frame))
        return USMP_SESSION_NOT_AUTHENTIC;
    if (session->state == USMP_SESSION_ENDED)
        return usmp_session_linger(session, frame, scratch, now);
    if (session->state == USMP_SESSION_CLOSING && frame->type != USMP_BYE)
        return USMP_SESSION_UNEXPECTED;
    if (usmp_session_answer_rekey_copy(session, frame))
        return USMP_SESSION_DUPLICATE;

    enum order order = order_of(session, frame->seq);
    if (order == ORDER_WRONG)
        return USMP_SESSION_UNEXPECTED;
    size_t size;
    if (!usmp_session_open(session, frame, scratch, &size))
        return USMP_SESSION_NOT_AUTHENTIC;
    session->confirmed = true;
    usmp_session_rekey_confirmed(session);

    /* Before the window is asked: control frames may have moved it past the deferred message. */
    if (session->deferred && !session->deferred_is_moot && frame->seq == session->offer_seq)
        return USMP_SESSION_WAITING;
    if (order == ORDER_KNOWN) {
        usmp_session_acknowledge(session, frame->type, frame->seq);
        return USMP_SESSION_DUPLICATE;
    }
    session->fresh = true;
    session->newest = is_newest(session, frame->seq);
    return usmp_session_handle(session, frame, scratch, size, now);
}
