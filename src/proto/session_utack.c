/* UTACKs of a session, those we send and those we get: the table of docs/protocol.md section 4. */
#include "proto/session_internal.h"

#include <usmp/utack.h>

void usmp_session_acknowledge_plain(struct usmp_session *session, uint8_t type, uint32_t seq)
{
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    usmp_session_emit(session, USMP_SEND_ANSWER, utack, usmp_utack_write_plain(type, seq, utack));
}

void usmp_session_acknowledge(struct usmp_session *session, uint8_t type, uint32_t seq)
{
    if (!usmp_session_is_udp(session))
        return;
    if (session->version == USMP_WIRE_1) {
        usmp_session_acknowledge_plain(session, type, seq);
        return;
    }
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    usmp_session_emit(session, USMP_SEND_ANSWER, utack,
                      usmp_utack_write_keyed(&session->receive_utack, type, seq, utack));
}

/* Anyone could have sent it: all it does is to end the repeats of SESSION_OK and to let messages go. */
static enum usmp_session_verdict session_ok_acknowledged(struct usmp_session *session, uint32_t seq)
{
    if (session->confirmed || seq != 0)
        return USMP_SESSION_UNEXPECTED;
    session->confirmed = true;
    return USMP_SESSION_NOTHING;
}

static bool is_authentic(const struct usmp_session *session, const struct usmp_utack *utack)
{
    if (session->version == USMP_WIRE_1)
        return true;
    const struct usmp_utack_key *key =
        session->outgoing.under_old_key ? &session->rekey->old_send_utack : &session->send_utack;
    return usmp_utack_is_authentic(key, utack);
}

static enum usmp_session_verdict message_acknowledged(struct usmp_session *session, uint64_t now)
{
    session->outgoing.message = false;
    usmp_session_land(session, now);
    usmp_session_release_rekey(session);
    return USMP_SESSION_SENT;
}

/* After REKEY the peer has dropped what it had of the message. */
static void fragment_acknowledged(struct usmp_session *session, uint64_t now)
{
    if (session->outgoing.under_old_key) {
        usmp_session_restart_message(session, now);
        usmp_session_release_rekey(session);
        return;
    }
    session->outgoing.fragment++;
    usmp_session_land(session, now);
}

static enum usmp_session_verdict flight_acknowledged(struct usmp_session *session, uint64_t now)
{
    switch (session->outgoing.type) {
    case USMP_DATA:
        return message_acknowledged(session, now);
    case USMP_DATA_FRAG:
        fragment_acknowledged(session, now);
        return USMP_SESSION_NOTHING;
    case USMP_BYE:
        return usmp_session_end(session, USMP_END_CLOSED);
    case USMP_REKEY:
        usmp_session_rekey_acknowledged(session);
        usmp_session_land(session, now);
        usmp_session_release_rekey(session);
        return USMP_SESSION_NOTHING;
    default:
        usmp_session_land(session, now);
        return USMP_SESSION_NOTHING;
    }
}

enum usmp_session_verdict usmp_session_receive_utack(struct usmp_session *session, const uint8_t *bytes, size_t size,
                                                     uint64_t now)
{
    const struct usmp_outgoing *outgoing = &session->outgoing;
    struct usmp_utack utack;
    if (!usmp_session_is_udp(session) || session->state == USMP_SESSION_ENDED || !usmp_utack_read(bytes, size, &utack))
        return USMP_SESSION_UNEXPECTED;
    if (utack.type == USMP_SESSION_OK)
        return session_ok_acknowledged(session, utack.seq);
    if (outgoing->type == 0 || outgoing->type != utack.type || outgoing->seq != utack.seq)
        return USMP_SESSION_UNEXPECTED;
    if (!is_authentic(session, &utack))
        return USMP_SESSION_NOT_AUTHENTIC;
    usmp_session_measure_flight(session, now);
    return flight_acknowledged(session, now);
}
