/* The one frame that is out over UDP, unacknowledged (docs/protocol.md section 4). */
#include "proto/session_internal.h"

#include <assert.h>

#include <usmp/fragments.h>

struct content {
    const uint8_t *bytes;
    size_t size;
};

static struct content content_of_flight(const struct usmp_session *session)
{
    const struct usmp_outgoing *outgoing = &session->outgoing;
    if (outgoing->type == USMP_REKEY)
        return (struct content){session->rekey->salt, sizeof session->rekey->salt};
    if (!usmp_session_is_message_part(outgoing->type))
        return (struct content){NULL, 0};
    struct usmp_fragment fragment = usmp_fragment_at(outgoing->size, outgoing->fragment);
    if (fragment.size == 0)
        return (struct content){NULL, 0};
    return (struct content){outgoing->payload + fragment.offset, fragment.size};
}

/* A wire 2 device has 300 ms for a message once it has begun (docs/protocol.md section 5). That bounds the time to wait
 * whatever was measured. */
static bool is_hurried(const struct usmp_session *session)
{
    const struct usmp_outgoing *outgoing = &session->outgoing;
    return usmp_session_is_message_part(outgoing->type) && outgoing->fragment > 0 && session->version == USMP_WIRE_2;
}

static uint64_t hurried_repeat_after(const struct usmp_outgoing *outgoing)
{
    uint64_t after = USMP_REPEAT_FRAGMENT_AFTER;
    for (unsigned sends = 1; sends < outgoing->sends && after < USMP_TIME_OUT_MAX; sends++)
        after *= 2;
    return after < USMP_TIME_OUT_MAX ? after : USMP_TIME_OUT_MAX;
}

static uint64_t repeat_after(const struct usmp_session *session)
{
    const struct usmp_outgoing *outgoing = &session->outgoing;
    assert(outgoing->sends > 0);
    if (is_hurried(session))
        return hurried_repeat_after(outgoing);
    uint64_t after = usmp_round_trip_time_out(&session->round_trip, outgoing->doublings + outgoing->sends - 1u);
    bool is_soonest = session->version == USMP_WIRE_1 && after < USMP_REPEAT_AFTER_WIRE_1;
    return is_soonest ? USMP_REPEAT_AFTER_WIRE_1 : after;
}

void usmp_session_repeat(struct usmp_session *session, uint64_t now)
{
    struct usmp_outgoing *outgoing = &session->outgoing;
    struct content content = content_of_flight(session);
    uint8_t frame[USMP_FRAME_MAX];
    size_t size = usmp_session_seal(session, outgoing->type, outgoing->seq, content.bytes, content.size, frame);
    if (outgoing->sends < UINT8_MAX)
        outgoing->sends++;
    outgoing->due = now + repeat_after(session);
    usmp_session_emit(session, USMP_SEND_FRAME, frame, size);
}

bool usmp_session_launch(struct usmp_session *session, uint8_t type, uint64_t now)
{
    assert(usmp_session_is_udp(session));
    assert(session->outgoing.type == 0);
    if (session->send_next == USMP_SEQ_LAST && type != USMP_BYE) {
        usmp_session_end(session, USMP_END_EXHAUSTED);
        return false;
    }
    session->outgoing.type = type;
    session->outgoing.seq = session->send_next;
    session->outgoing.sends = 0;
    if (session->send_next < USMP_SEQ_LAST)
        session->send_next++;
    session->outgoing.due = now;
    if (!session->paused)
        usmp_session_repeat(session, now);
    return true;
}

/* A frame that had to be repeated is no measurement, but says that the time-out may be too short. The doublings that it
 * needed stay, or a device that always takes longer would never be measured. */
static void keep_doublings(struct usmp_outgoing *outgoing)
{
    unsigned doublings = outgoing->doublings + outgoing->sends - 1u;
    outgoing->doublings = (uint8_t)(doublings < USMP_TIME_OUT_DOUBLINGS_MAX ? doublings : USMP_TIME_OUT_DOUBLINGS_MAX);
}

void usmp_session_measure_flight(struct usmp_session *session, uint64_t now)
{
    struct usmp_outgoing *outgoing = &session->outgoing;
    if (outgoing->sends == 0 || outgoing->under_old_key)
        return;
    if (outgoing->sends > 1) {
        if (!is_hurried(session))
            keep_doublings(outgoing);
        return;
    }
    uint64_t sent_at = outgoing->due - repeat_after(session);
    usmp_round_trip_measured(&session->round_trip, now - sent_at);
    outgoing->doublings = 0;
}

void usmp_session_land(struct usmp_session *session, uint64_t now)
{
    session->outgoing.type = 0;
    session->outgoing.under_old_key = false;
    session->outgoing.due = now;
}

void usmp_session_restart_message(struct usmp_session *session, uint64_t now)
{
    session->outgoing.fragment = 0;
    usmp_session_land(session, now);
    if (usmp_fragment_count(session->outgoing.size) > 1)
        usmp_session_fence(session);
}

/* A receiver takes a DATA right behind a part that it holds for the rest of it. One seq is left out, so that the part
 * is not continued whatever comes, and the Python SDK, which drops what breaks the order along with the part, loses a
 * PONG and not the next message. */
void usmp_session_fence(struct usmp_session *session)
{
    session->outgoing.fence = true;
    if (session->send_next < USMP_SEQ_LAST)
        session->send_next++;
}
