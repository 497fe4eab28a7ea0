/* What the owner sends: messages and PING (docs/protocol.md section 3). */
#include "proto/session_internal.h"

#include <assert.h>

#include <usmp/fragments.h>

bool usmp_session_can_send(const struct usmp_session *session)
{
    const struct usmp_outgoing *outgoing = &session->outgoing;
    return session->state == USMP_SESSION_LIVE && session->may_send && session->confirmed && !session->paused &&
           outgoing->type == 0 && !outgoing->message && !outgoing->fence;
}

enum usmp_send_verdict usmp_session_check_send(struct usmp_session *session, size_t size)
{
    if (session->state != USMP_SESSION_LIVE)
        return USMP_SEND_OVER;
    if (!session->may_send)
        return USMP_SEND_FORBIDDEN;
    if (size > USMP_MESSAGE_MAX)
        return USMP_SEND_TOO_LARGE;
    if (!usmp_session_can_send(session))
        return USMP_SEND_BUSY;
    return usmp_session_may_seal(session) ? USMP_SEND_STARTED : USMP_SEND_NO_BLOCK;
}

static void write_message(struct usmp_session *session, const uint8_t *payload, size_t size)
{
    uint8_t frames[USMP_FRAGMENTS_MAX * USMP_FRAME_MAX];
    size_t used = 0;
    for (size_t index = 0; index < usmp_fragment_count(size); index++) {
        struct usmp_fragment fragment = usmp_fragment_at(size, index);
        const uint8_t *plaintext = fragment.size > 0 ? payload + fragment.offset : NULL;
        used += usmp_session_seal(session, fragment.type, session->send_next, plaintext, fragment.size, frames + used);
        session->send_next++;
    }
    usmp_session_emit(session, USMP_SEND_FRAME, frames, used);
}

enum usmp_send_verdict usmp_session_send(struct usmp_session *session, const uint8_t *payload, size_t size,
                                         uint64_t now)
{
    enum usmp_send_verdict objection = usmp_session_check_send(session, size);
    if (objection != USMP_SEND_STARTED)
        return objection;
    if (USMP_SEQ_LAST - session->send_next < usmp_fragment_count(size)) {
        usmp_session_end(session, USMP_END_EXHAUSTED);
        return USMP_SEND_OVER;
    }
    if (!usmp_session_is_udp(session)) {
        write_message(session, payload, size);
        return USMP_SEND_WRITTEN;
    }
    session->outgoing.payload = payload;
    session->outgoing.size = (uint16_t)size;
    session->outgoing.fragment = 0;
    session->outgoing.message = true;
    bool launched = usmp_session_launch(session, usmp_fragment_at(size, 0).type, now);
    assert(launched); /* there is a seq for each fragment */
    (void)launched;
    return USMP_SEND_STARTED;
}

bool usmp_session_cancel(struct usmp_session *session)
{
    struct usmp_outgoing *outgoing = &session->outgoing;
    if (!outgoing->message)
        return false;
    if (session->version == USMP_WIRE_1) {
        usmp_session_end(session, USMP_END_GIVEN_UP);
        return true;
    }
    bool is_in_flight = usmp_session_is_message_part(outgoing->type);
    bool has_left = is_in_flight || outgoing->fragment > 0;
    outgoing->message = false;
    if (is_in_flight)
        usmp_session_land(session, 0);
    if (has_left && usmp_fragment_count(outgoing->size) > 1)
        usmp_session_fence(session);
    usmp_session_release_rekey(session);
    return true;
}

bool usmp_session_write(struct usmp_session *session, uint8_t type, const uint8_t *plaintext, size_t size)
{
    assert(!usmp_session_is_udp(session));
    if (!usmp_session_may_seal(session))
        return false;
    if (session->send_next == USMP_SEQ_LAST && type != USMP_BYE) {
        usmp_session_end(session, USMP_END_EXHAUSTED);
        return false;
    }
    uint8_t frame[USMP_FRAME_MAX];
    size_t frame_size = usmp_session_seal(session, type, session->send_next, plaintext, size, frame);
    if (session->send_next < USMP_SEQ_LAST)
        session->send_next++;
    usmp_session_emit(session, USMP_SEND_FRAME, frame, frame_size);
    return true;
}

enum usmp_send_verdict usmp_session_ping(struct usmp_session *session, uint64_t now)
{
    enum usmp_send_verdict objection = usmp_session_check_send(session, 0);
    if (objection != USMP_SEND_STARTED)
        return objection;
    if (!usmp_session_is_udp(session))
        return usmp_session_write(session, USMP_PING, NULL, 0) ? USMP_SEND_WRITTEN : USMP_SEND_OVER;
    return usmp_session_launch(session, USMP_PING, now) ? USMP_SEND_STARTED : USMP_SEND_OVER;
}
