/* A frame that is authentic and new: what it does, and what the owner's answer to an offer does (docs/protocol.md
 * section 3, docs/design.md promise 2).
 */
#include "proto/session_internal.h"

#include <assert.h>
#include <string.h>

void usmp_session_pass(struct usmp_session *session, uint32_t seq)
{
    if (!usmp_session_is_udp_wire_2(session)) {
        session->receive_next = seq + 1;
        return;
    }
    /* While a message was deferred, control frames may have moved the window so far that it is too old for it. */
    if (usmp_replay_window_check(&session->window, seq) == USMP_REPLAY_NEW)
        usmp_replay_window_accept(&session->window, seq);
}

void usmp_session_commit(struct usmp_session *session, uint8_t type, uint32_t seq)
{
    usmp_session_pass(session, seq);
    usmp_reassembly_accept(&session->reassembly, session->transport, type, seq);
    if (!usmp_reassembly_is_partial(&session->reassembly))
        usmp_session_drop_partial(session);
    usmp_session_acknowledge(session, type, seq);
}

static void append(struct usmp_session *session, const uint8_t *plaintext, size_t size)
{
    assert(session->partial_size + size <= USMP_MESSAGE_MAX);
    memcpy(session->partial + session->partial_size, plaintext, size);
}

static enum usmp_session_verdict begin_partial(struct usmp_session *session, const struct usmp_frame *frame,
                                               const uint8_t *plaintext, size_t size)
{
    /* A message that this one drops leaves its block. */
    if (session->partial == NULL)
        session->partial = session->owner->take(session->owner->context, USMP_BLOCK_MESSAGE);
    if (session->partial == NULL)
        return USMP_SESSION_NOT_NOW;
    session->partial_size = 0;
    usmp_session_commit(session, frame->type, frame->seq);
    append(session, plaintext, size);
    session->partial_size = (uint16_t)size;
    return USMP_SESSION_NOTHING;
}

static enum usmp_session_verdict continue_partial(struct usmp_session *session, const struct usmp_frame *frame,
                                                  const uint8_t *plaintext, size_t size)
{
    usmp_session_commit(session, frame->type, frame->seq);
    append(session, plaintext, size);
    session->partial_size = (uint16_t)(session->partial_size + size);
    return USMP_SESSION_NOTHING;
}

static enum usmp_session_verdict offer(struct usmp_session *session, const struct usmp_frame *frame,
                                       const uint8_t *bytes, size_t size)
{
    session->offer = (struct usmp_offer){bytes, size};
    session->offer_seq = frame->seq;
    session->offer_type = frame->type;
    return USMP_SESSION_OFFER;
}

enum usmp_session_verdict usmp_session_handle(struct usmp_session *session, const struct usmp_frame *frame,
                                              const uint8_t *plaintext, size_t size, uint64_t now)
{
    if (frame->type == USMP_BYE)
        return usmp_session_receive_bye(session, frame->seq, now);
    if (frame->seq == USMP_SEQ_LAST)
        return usmp_session_end(session, USMP_END_EXHAUSTED);
    if (session->deferred && usmp_session_is_message_part(frame->type))
        return USMP_SESSION_NOT_NOW;

    struct usmp_reassembly_step step =
        usmp_reassembly_check(&session->reassembly, session->transport, frame->type, frame->seq);
    switch (step.action) {
    case USMP_REASSEMBLY_WHOLE:
        return offer(session, frame, plaintext, size);
    case USMP_REASSEMBLY_BEGIN:
        return begin_partial(session, frame, plaintext, size);
    case USMP_REASSEMBLY_APPEND:
        return continue_partial(session, frame, plaintext, size);
    case USMP_REASSEMBLY_COMPLETE:
        /* Behind what counts, so nothing has happened if it is refused. */
        append(session, plaintext, size);
        return offer(session, frame, session->partial, session->partial_size + size);
    case USMP_REASSEMBLY_CONTROL:
        return usmp_session_control(session, frame, plaintext, now);
    case USMP_REASSEMBLY_DROP:
        usmp_session_commit(session, frame->type, frame->seq);
        return USMP_SESSION_NOTHING;
    case USMP_REASSEMBLY_BROKEN:
        break;
    }
    return usmp_session_end(session, USMP_END_PROTOCOL);
}

static void close_offer(struct usmp_session *session)
{
    assert(session->offer.bytes != NULL);
    session->offer = (struct usmp_offer){0};
}

void usmp_session_accept(struct usmp_session *session, uint64_t now)
{
    (void)now; /* nothing that follows from it is due at a time */
    close_offer(session);
    usmp_session_commit(session, session->offer_type, session->offer_seq);
}

void usmp_session_refuse(struct usmp_session *session)
{
    close_offer(session);
}

void usmp_session_defer(struct usmp_session *session)
{
    close_offer(session);
    session->deferred = true;
    session->deferred_is_moot = false;
}

void usmp_session_settle(struct usmp_session *session, bool accepted, uint64_t now)
{
    (void)now;
    if (!session->deferred) /* the session is not live any more */
        return;
    session->deferred = false;
    if (accepted && !session->deferred_is_moot)
        usmp_session_commit(session, session->offer_type, session->offer_seq);
}
