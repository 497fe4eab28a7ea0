#include "conversation/departure.h"

#include <string.h>

#include <usmp/utack.h>

#include "conversation/arrival.h"
#include "conversation/listener.h"
#include "conversation/peer.h"
#include "gateway/require.h"

void departure_check(struct conversation *conversation, const struct departed *departed)
{
    const struct usmp_session *session = conversation->session;
    if (departed->kind == USMP_SEND_ANSWER) {
        struct usmp_utack utack;
        require(usmp_utack_read(departed->bytes, departed->size, &utack));
        if (usmp_type_is_encrypted(utack.type))
            arrival_check_answer(conversation, departed->bytes, departed->size);
        else
            require(departed->size == USMP_UTACK_PLAIN_SIZE);
        return;
    }
    struct usmp_frame frame;
    size_t total = 0;
    require(usmp_frame_parse(departed->bytes, departed->size, &frame, &total) == USMP_FRAME_COMPLETE);
    require(frame.version == conversation->version);
    if (!usmp_type_is_encrypted(frame.type))
        return;
    require(conversation->may_send && session->confirmed && !session->paused);
    require(session->state != USMP_SESSION_ENDED);
}

/* True: it left for the first time. */
static bool note_sent(struct conversation *conversation, const struct usmp_frame *frame, unsigned epoch,
                      enum usmp_suite suite)
{
    for (unsigned index = conversation->sent_count; index-- > 0;) {
        const struct sent_frame *before = &conversation->sent[index];
        if (before->epoch == epoch && before->suite == suite && before->seq == frame->seq) {
            require(before->size == frame->size && memcmp(before->bytes, frame->bytes, frame->size) == 0);
            return false;
        }
    }
    require(conversation->sent_count < CONVERSATION_SENT);
    struct sent_frame *sent = &conversation->sent[conversation->sent_count++];
    sent->epoch = epoch;
    sent->suite = suite;
    sent->seq = frame->seq;
    sent->size = frame->size;
    memcpy(sent->bytes, frame->bytes, frame->size);
    return true;
}

/* Which part of the message that is out it is; the plaintext says so too. */
static void check_part(struct conversation *conversation, const struct usmp_frame *frame, const uint8_t *plaintext,
                       size_t size)
{
    require(conversation->downlink_out >= 0);
    size_t whole = conversation->downlink[conversation->downlink_out].size;
    if (conversation->may_restart && conversation->fragments_acknowledged > 0 && size > 0 &&
        plaintext[0] == conversation_content(conversation->role, conversation->downlink_out, 0))
        conversation->fragments_acknowledged = 0;
    size_t offset = (size_t)conversation->fragments_acknowledged * USMP_PLAINTEXT_MAX;
    require(offset + size <= whole && (size == USMP_PLAINTEXT_MAX || offset + size == whole));
    require((frame->type == USMP_DATA) == (offset + size == whole));
    for (size_t index = 0; index < size; index++)
        require(plaintext[index] ==
                conversation_content(conversation->role, conversation->downlink_out, offset + index));
    conversation->may_restart = false;
}

static void handle_frame(struct conversation *conversation, const struct usmp_frame *frame, unsigned epoch)
{
    /* As long as a gateway has opened nothing it speaks AES, whatever the peer speaks. */
    enum usmp_suite suite = conversation->suite_known ? conversation->suite : USMP_AES_256_GCM;
    const struct usmp_record_context context = {conversation_key(&conversation->keys[epoch], conversation->role),
                                                conversation->session_id, suite};
    uint8_t plaintext[USMP_PLAINTEXT_MAX];
    size_t size = 0;
    require(usmp_record_open(&context, frame, plaintext, &size) == USMP_RECORD_OPENED);
    conversation_trace(conversation, "subject: %s seq %u, keys %u%s", usmp_type_name(frame->type), frame->seq, epoch,
                       conversation->loses_frames ? ", lost" : "");
    bool is_new = note_sent(conversation, frame, epoch, suite);
    if (is_new && (frame->type == USMP_DATA || frame->type == USMP_DATA_FRAG) && conversation->downlink_out >= 0)
        check_part(conversation, frame, plaintext, size);
    if (!conversation_is_udp(conversation))
        conversation->fragments_acknowledged++;
    conversation->out_type = frame->type;
    conversation->out_seq = frame->seq;
    conversation->out_epoch = epoch;
    if (!conversation->loses_frames || !conversation_is_udp(conversation))
        listener_hear(conversation, frame, plaintext, size, epoch, suite);
}

static void handle_answer(struct conversation *conversation, const struct departed *departed)
{
    struct usmp_utack utack;
    require(usmp_utack_read(departed->bytes, departed->size, &utack));
    if (usmp_type_is_encrypted(utack.type) && !conversation->loses_answers)
        peer_hears_utack(conversation, utack.type, utack.seq, departed->epoch);
}

static void confirm(struct conversation *conversation)
{
    if (!conversation_is_udp(conversation) || conversation->loses_frames)
        return;
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    listener_acknowledge(conversation, utack, usmp_utack_write_plain(USMP_SESSION_OK, 0, utack));
}

void departure_handle(struct conversation *conversation, const struct departed *departed)
{
    if (departed->kind == USMP_SEND_ANSWER) {
        handle_answer(conversation, departed);
        return;
    }
    for (size_t offset = 0; offset < departed->size;) {
        struct usmp_frame frame;
        size_t total = 0;
        require(usmp_frame_parse(departed->bytes + offset, departed->size - offset, &frame, &total) ==
                USMP_FRAME_COMPLETE);
        offset += total;
        require(!conversation_is_udp(conversation) || offset == departed->size);
        if (usmp_type_is_encrypted(frame.type))
            handle_frame(conversation, &frame, departed->epoch);
        else
            confirm(conversation);
    }
}

void departure_send(struct conversation *conversation, size_t size)
{
    if (conversation->downlink_out >= 0 || conversation->downlink_count == CONVERSATION_MESSAGES)
        return;
    int number = conversation->downlink_count;
    for (size_t index = 0; index < size; index++)
        conversation->payload[index] = conversation_content(conversation->role, number, index);
    conversation->downlink[number] = (struct message){.size = size};
    conversation->downlink_out = number;
    conversation->fragments_acknowledged = 0;
    conversation->may_restart = false;
    bool can = usmp_session_can_send(conversation->session);
    enum usmp_send_verdict verdict =
        usmp_session_send(conversation->session, conversation->payload, size, conversation->now);
    require(can || (verdict != USMP_SEND_STARTED && verdict != USMP_SEND_WRITTEN));
    require(conversation->may_send || verdict == USMP_SEND_FORBIDDEN || verdict == USMP_SEND_OVER);
    if (verdict == USMP_SEND_STARTED || verdict == USMP_SEND_WRITTEN)
        conversation->downlink_count++;
    else
        conversation->downlink_out = -1;
    conversation_pump(conversation);
    if (verdict == USMP_SEND_WRITTEN) {
        bool understood = conversation->suite_known || conversation->suite == USMP_AES_256_GCM;
        require(conversation->downlink[number].delivered == (understood ? 1 : 0));
        departure_forget(conversation);
    }
}

void departure_cancel(struct conversation *conversation)
{
    bool was_out = conversation->downlink_out >= 0;
    require(usmp_session_cancel(conversation->session) == was_out);
    departure_forget(conversation);
    if (conversation->out_type == USMP_DATA || conversation->out_type == USMP_DATA_FRAG)
        conversation->out_type = 0;
}

void departure_forget(struct conversation *conversation)
{
    conversation->downlink_out = -1;
    memset(conversation->payload, 0xEE, sizeof conversation->payload);
}

static bool is_right(const struct conversation *conversation, const struct usmp_utack *utack)
{
    if (conversation->out_type == 0 || utack->type != conversation->out_type || utack->seq != conversation->out_seq)
        return false;
    if (conversation->version == USMP_WIRE_1)
        return true;
    struct usmp_utack_key key;
    usmp_utack_key_init(&key, conversation_key(&conversation->keys[conversation->out_epoch], conversation->role));
    return usmp_utack_is_authentic(&key, utack);
}

static void apply_own_rekey(struct conversation *conversation)
{
    require(conversation->peer_epoch == conversation->subject_epoch + 1);
    const struct usmp_keys keys = conversation->keys[conversation->peer_epoch];
    arrival_new_keys(conversation, &keys);
}

static void check_sent(struct conversation *conversation)
{
    require(conversation->downlink_out >= 0);
    require(conversation->downlink[conversation->downlink_out].delivered > 0 || conversation->blind ||
            conversation->forged);
    departure_forget(conversation);
}

void departure_acknowledge(struct conversation *conversation, const uint8_t *bytes, size_t size)
{
    struct usmp_utack utack;
    if (!conversation_is_udp(conversation) || !usmp_utack_read(bytes, size, &utack))
        return;
    bool right = is_right(conversation, &utack);
    bool is_part = utack.type == USMP_DATA || utack.type == USMP_DATA_FRAG;
    bool was_live = conversation->session->state == USMP_SESSION_LIVE;
    bool same_keys = conversation->out_epoch == conversation->subject_epoch;
    enum usmp_session_verdict verdict =
        conversation->role == USMP_DEVICE
            ? usmp_device_receive_utack(&conversation->device, bytes, size, conversation->now)
            : usmp_session_receive_utack(conversation->session, bytes, size, conversation->now);
    conversation_trace(conversation, "peer: UTACK of %s seq %u, right: %d: verdict %d", usmp_type_name(utack.type),
                       utack.seq, right, (int)verdict);
    bool taken = verdict == USMP_SESSION_NOTHING || verdict == USMP_SESSION_SENT || verdict == USMP_SESSION_OVER;
    require(!taken || right || utack.type == USMP_SESSION_OK);
    require(verdict != USMP_SESSION_OVER || utack.type == USMP_BYE);
    /* Behind REKEY the UTACK of what was in flight still counts for half a second, under the old key. */
    bool still_counts = conversation->out_epoch + 1 == conversation->subject_epoch &&
                        conversation->now < conversation->rekeyed_at + 500000;
    if (right && is_part && was_live && (same_keys || still_counts) && conversation->downlink_out >= 0)
        require(verdict == (utack.type == USMP_DATA ? USMP_SESSION_SENT : USMP_SESSION_NOTHING));
    if (taken && right) {
        conversation->out_type = 0;
        if (utack.type == USMP_REKEY)
            apply_own_rekey(conversation);
        else if (utack.type == USMP_DATA_FRAG && same_keys)
            conversation->fragments_acknowledged++;
    }
    if (verdict == USMP_SESSION_SENT)
        check_sent(conversation);
    if (verdict == USMP_SESSION_OVER)
        departure_forget(conversation);
}

void departure_peer_rekeyed(struct conversation *conversation)
{
    conversation->peer_epoch++;
    require(conversation->peer_epoch >= conversation->subject_epoch);
    listener_forget(conversation);
    taken_clear(&conversation->peer_took);
    conversation->peer_seq = 0;
    conversation->owes_fence = false;
    if (conversation->flight.out && conversation->flight.type != USMP_REKEY)
        conversation->flight.out = false;
}
