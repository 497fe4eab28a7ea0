/* REKEY: new keys in both directions (docs/protocol.md sections 3 and 4, docs/security.md rule 19).
 *
 * Over UDP our seq does not start anew after a peer's REKEY, but goes on above all that was used under the old keys.
 * The wire allows any first seq; a UTACK for an old frame, which devices sign with whatever key they have when it
 * arrives, then fits no new one, and Python devices, which keep their duplicate counter over REKEY, take our frames.
 */
#include "proto/session_internal.h"

#include <assert.h>
#include <string.h>

#include <usmp/fragments.h>

#include "crypto/memory.h"

static void switch_keys(struct usmp_session *session, enum usmp_role sender, const uint8_t *salt)
{
    usmp_keys_rekey(&session->keys, sender, session->session_id, salt, &session->keys);
    usmp_session_set_utack_keys(session);
    usmp_replay_window_init(&session->window);
    usmp_reassembly_init(&session->reassembly);
    usmp_session_drop_partial(session);
    session->receive_next = 0;
    session->deferred_is_moot = session->deferred;
}

static enum usmp_role peer_of(const struct usmp_session *session)
{
    return session->role == USMP_GATEWAY ? USMP_DEVICE : USMP_GATEWAY;
}

/* What is in flight is stopped. A part of a message still has some time to be acknowledged under the old key; PONG
 * and PING are not worth it. */
static void stop_flight(struct usmp_session *session, uint64_t now)
{
    struct usmp_outgoing *outgoing = &session->outgoing;
    bool is_part_in_flight = usmp_session_is_message_part(outgoing->type);
    if (is_part_in_flight && !outgoing->under_old_key) {
        uint64_t wait_until = now + USMP_OLD_UTACK_WAIT;
        session->rekey->old_send_utack = session->send_utack;
        outgoing->under_old_key = true;
        outgoing->due = outgoing->due > wait_until ? outgoing->due : wait_until;
    } else if (outgoing->message) {
        usmp_session_restart_message(session, now);
    } else {
        usmp_session_land(session, now);
    }
}

static bool hold_record(struct usmp_session *session)
{
    if (session->rekey != NULL)
        return true;
    session->rekey = session->owner->take(session->owner->context, USMP_BLOCK_REKEY);
    if (session->rekey == NULL)
        return false;
    *session->rekey = (struct usmp_rekey_record){0};
    return true;
}

enum usmp_session_verdict usmp_session_receive_rekey(struct usmp_session *session, const struct usmp_frame *frame,
                                                     const uint8_t *salt, uint64_t now)
{
    if (!usmp_session_is_udp(session)) {
        switch_keys(session, peer_of(session), salt);
        session->send_next = 0;
        return USMP_SESSION_NOTHING;
    }
    /* Both at once: neither side could tell what the keys are. Ours stays, the peer repeats or gives up. */
    if (session->outgoing.type == USMP_REKEY)
        return USMP_SESSION_UNEXPECTED;
    if (!hold_record(session))
        return USMP_SESSION_NOT_NOW;
    struct usmp_rekey_record *record = session->rekey;
    assert(frame->size == sizeof record->frame);
    memcpy(record->frame, frame->bytes, sizeof record->frame);
    size_t utack_size = usmp_utack_write_keyed(&session->receive_utack, USMP_REKEY, frame->seq, record->utack);
    record->answers = true;
    stop_flight(session, now);
    switch_keys(session, peer_of(session), salt);
    usmp_session_emit(session, USMP_SEND_ANSWER, record->utack, utack_size);
    return USMP_SESSION_NOTHING;
}

bool usmp_session_answer_rekey_copy(struct usmp_session *session, const struct usmp_frame *frame)
{
    const struct usmp_rekey_record *record = session->rekey;
    if (record == NULL || !record->answers || frame->size != sizeof record->frame ||
        memcmp(frame->bytes, record->frame, sizeof record->frame) != 0)
        return false;
    usmp_session_emit(session, USMP_SEND_ANSWER, record->utack, sizeof record->utack);
    return true;
}

void usmp_session_rekey_confirmed(struct usmp_session *session)
{
    if (session->rekey == NULL)
        return;
    session->rekey->answers = false;
    usmp_session_release_rekey(session);
}

void usmp_session_release_rekey(struct usmp_session *session)
{
    struct usmp_rekey_record *record = session->rekey;
    if (record == NULL || record->answers || session->outgoing.under_old_key || session->outgoing.type == USMP_REKEY)
        return;
    crypto_wipe(record, sizeof *record);
    session->owner->give(session->owner->context, USMP_BLOCK_REKEY, record);
    session->rekey = NULL;
}

enum usmp_send_verdict usmp_session_rekey(struct usmp_session *session, const uint8_t salt[USMP_REKEY_SALT_SIZE],
                                          uint64_t now)
{
    if (session->version == USMP_WIRE_1)
        return USMP_SEND_FORBIDDEN;
    enum usmp_send_verdict objection = usmp_session_check_send(session, USMP_REKEY_SALT_SIZE);
    if (objection != USMP_SEND_STARTED)
        return objection;
    if (!usmp_session_is_udp(session)) {
        if (!usmp_session_write(session, USMP_REKEY, salt, USMP_REKEY_SALT_SIZE))
            return USMP_SEND_OVER;
        switch_keys(session, session->role, salt);
        session->send_next = 0;
        return USMP_SEND_WRITTEN;
    }
    if (session->rekey != NULL) /* one of the peer's is not over yet */
        return USMP_SEND_BUSY;
    if (!hold_record(session))
        return USMP_SEND_NO_BLOCK;
    memcpy(session->rekey->salt, salt, sizeof session->rekey->salt);
    return usmp_session_launch(session, USMP_REKEY, now) ? USMP_SEND_STARTED : USMP_SEND_OVER;
}

void usmp_session_rekey_acknowledged(struct usmp_session *session)
{
    switch_keys(session, session->role, session->rekey->salt);
    session->send_next = 0;
}
