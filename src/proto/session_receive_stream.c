/* A frame of the peer over TCP: the next one exactly, or the session ends (docs/protocol.md section 3). */
#include "proto/session_internal.h"

#include "proto/sent_tags.h"

static bool is_in_order(const struct usmp_session *session, const struct usmp_frame *frame)
{
    return frame->version == session->version && frame->seq == session->receive_next;
}

static bool is_reflected(const struct usmp_session *session, const struct usmp_frame *frame)
{
    return session->sent_tags != NULL && usmp_sent_tags_know(session->sent_tags, frame);
}

enum usmp_session_verdict usmp_session_receive_stream(struct usmp_session *session, const struct usmp_frame *frame,
                                                      uint8_t *scratch, uint64_t now)
{
    if (session->state != USMP_SESSION_LIVE)
        return USMP_SESSION_UNEXPECTED;
    if (session->deferred)
        return USMP_SESSION_NOT_NOW;
    size_t size;
    if (!is_in_order(session, frame) || is_reflected(session, frame) ||
        !usmp_session_open(session, frame, scratch, &size))
        return usmp_session_end(session, USMP_END_PROTOCOL);
    session->fresh = true;
    session->newest = true;
    return usmp_session_handle(session, frame, scratch, size, now);
}
