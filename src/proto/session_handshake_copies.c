/* What is left of the handshake once its session is there: SESSION_OK until it is acknowledged, and late copies of the
 * device's frames (docs/protocol.md section 4).
 */
#include "proto/session_internal.h"

#include <string.h>

#include <usmp/handshake_messages.h>

#include "crypto/memory.h"

void usmp_session_send_session_ok(struct usmp_session *session)
{
    struct usmp_session_ok session_ok;
    memcpy(session_ok.session_id, session->session_id, sizeof session_ok.session_id);
    memcpy(session_ok.hmac, session->session_ok_hmac, sizeof session_ok.hmac);
    uint8_t frame[USMP_SESSION_OK_FRAME];
    size_t size = usmp_session_ok_write(session->version, 0, &session_ok, frame);
    usmp_session_emit(session, USMP_SEND_FRAME, frame, size);
}

static bool is_our_hello(const struct usmp_session *session, const struct usmp_frame *frame)
{
    struct usmp_hello hello;
    return usmp_hello_read(frame, &hello) &&
           memcmp(hello.public_key, session->device_public, sizeof hello.public_key) == 0;
}

static bool is_our_hello_ack(const struct usmp_session *session, const struct usmp_frame *frame)
{
    struct usmp_hello_ack hello_ack;
    return usmp_hello_ack_read(frame, &hello_ack) &&
           crypto_equal(hello_ack.hmac, session->hello_ack_hmac, sizeof hello_ack.hmac);
}

bool usmp_session_receive_handshake(struct usmp_session *session, const struct usmp_frame *frame, uint64_t now)
{
    if (!usmp_session_is_udp(session) || session->role != USMP_GATEWAY || frame->version != session->version)
        return false;
    bool is_hello_ack = is_our_hello_ack(session, frame);
    if (!is_hello_ack && !is_our_hello(session, frame))
        return false;
    if (session->state == USMP_SESSION_ENDED) /* ours, and nothing to say to it any more */
        return true;
    usmp_session_acknowledge_plain(session, frame->type, frame->seq);
    if (is_hello_ack) {
        session->session_ok_due = now + USMP_SESSION_OK_REPEAT_AFTER;
        usmp_session_send_session_ok(session);
    }
    return true;
}
