#include "proto/session_internal.h"

#include <assert.h>
#include <string.h>

#include "crypto/memory.h"

/* Nothing on the wire says which suite it is, but only a wire 2 gateway may have to find out. */
static enum usmp_cipher resolve_cipher(const struct usmp_session_start *start)
{
    bool may_be_either = start->version == USMP_WIRE_2 && start->role == USMP_GATEWAY;
    if (start->cipher == USMP_CIPHER_AUTO && !may_be_either)
        return USMP_CIPHER_AES_256_GCM;
    return start->cipher;
}

static void check_start(const struct usmp_session_start *start)
{
    assert(start->version == USMP_WIRE_1 || start->version == USMP_WIRE_2);
    assert(start->version == USMP_WIRE_2 || start->cipher != USMP_CIPHER_CHACHA20_POLY1305);
    assert(start->version == USMP_WIRE_1 || start->may_send);
}

void usmp_session_begin(struct usmp_session *session, const struct usmp_session_owner *owner, void *user,
                        const struct usmp_session_start *start, uint64_t now)
{
    check_start(start);
    *session = (struct usmp_session){
        .owner = owner,
        .user = user,
        .role = start->role,
        .transport = start->transport,
        .state = USMP_SESSION_LIVE,
        .end = USMP_END_NONE,
        .cipher = resolve_cipher(start),
        .version = start->version,
        .may_send = start->may_send,
        .confirmed = start->role == USMP_DEVICE || start->transport == USMP_TCP,
        .keys = start->keys,
    };
    memcpy(session->session_id, start->session_id, sizeof session->session_id);
    memcpy(session->device_public, start->device_public, sizeof session->device_public);
    memcpy(session->hello_ack_hmac, start->hello_ack_hmac, sizeof session->hello_ack_hmac);
    memcpy(session->session_ok_hmac, start->session_ok_hmac, sizeof session->session_ok_hmac);
    usmp_session_set_utack_keys(session);
    usmp_replay_window_init(&session->window);
    usmp_reassembly_init(&session->reassembly);
    if (session->role == USMP_DEVICE)
        return;
    session->session_ok_due = now + USMP_SESSION_OK_REPEAT_AFTER;
    session->session_ok_until = now + start->confirm_within;
    usmp_session_send_session_ok(session);
}

void usmp_session_set_utack_keys(struct usmp_session *session)
{
    if (!usmp_session_is_udp_wire_2(session))
        return;
    bool is_gateway = session->role == USMP_GATEWAY;
    usmp_utack_key_init(&session->receive_utack,
                        is_gateway ? session->keys.device_to_gateway : session->keys.gateway_to_device);
    usmp_utack_key_init(&session->send_utack,
                        is_gateway ? session->keys.gateway_to_device : session->keys.device_to_gateway);
}

void usmp_session_emit(struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes, size_t size)
{
    session->owner->send(session->owner->context, session, kind, bytes, size);
}

void usmp_session_drop_partial(struct usmp_session *session)
{
    if (session->partial == NULL)
        return;
    session->owner->give(session->owner->context, USMP_BLOCK_MESSAGE, session->partial);
    session->partial = NULL;
    session->partial_size = 0;
}

static void drop_outgoing(struct usmp_session *session)
{
    session->pongs_held = 0;
    session->outgoing = (struct usmp_outgoing){0};
    if (session->rekey != NULL)
        session->rekey->answers = false;
    usmp_session_release_rekey(session);
}

enum usmp_session_verdict usmp_session_end(struct usmp_session *session, enum usmp_end end)
{
    session->state = USMP_SESSION_ENDED;
    if (session->end == USMP_END_NONE)
        session->end = end;
    session->deferred = false;
    usmp_session_drop_partial(session);
    drop_outgoing(session);
    return USMP_SESSION_OVER;
}

void usmp_session_wipe(struct usmp_session *session)
{
    usmp_session_drop_partial(session);
    drop_outgoing(session);
    if (session->sent_tags != NULL)
        session->owner->give(session->owner->context, USMP_BLOCK_REFLECTED, session->sent_tags);
    crypto_wipe(session, sizeof *session);
}

enum usmp_session_verdict usmp_session_receive(struct usmp_session *session, const struct usmp_frame *frame,
                                               uint8_t *scratch, uint64_t now)
{
    assert(session->offer.bytes == NULL);
    session->fresh = false;
    session->newest = false;
    if (usmp_session_is_udp(session))
        return usmp_session_receive_datagram(session, frame, scratch, now);
    return usmp_session_receive_stream(session, frame, scratch, now);
}

void usmp_session_pause(struct usmp_session *session, bool paused, uint64_t now)
{
    (void)now; /* what became due meanwhile still is */
    if (usmp_session_is_udp(session))
        session->paused = paused;
}
