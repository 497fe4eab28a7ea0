#include "conversation/listener.h"

#include <string.h>

#include <usmp/utack.h>

#include "conversation/departure.h"
#include "gateway/require.h"

void listener_forget(struct conversation *conversation)
{
    conversation->partial_size = 0;
    conversation->partial_fragments = 0;
}

static bool is_message(const struct conversation *conversation, int number)
{
    if (conversation->downlink[number].size != conversation->partial_size)
        return false;
    for (size_t index = 0; index < conversation->partial_size; index++)
        if (conversation->partial[index] != conversation_content(conversation->role, number, index))
            return false;
    return true;
}

/* The message that is being sent is counted when its call returns, but over TCP it arrives within. */
static void deliver(struct conversation *conversation)
{
    int number = conversation->downlink_out >= conversation->downlink_count ? conversation->downlink_out
                                                                            : conversation->downlink_count - 1;
    while (number >= 0 && !is_message(conversation, number))
        number--;
    require(number >= 0 && number >= conversation->last_delivered);
    struct message *message = &conversation->downlink[number];
    /* Empty messages are all the same. */
    require(message->size == 0 || message->delivered <= message->rekeys);
    message->delivered++;
    conversation->last_delivered = number;
    listener_forget(conversation);
}

static void collect(struct conversation *conversation, const struct usmp_frame *frame, const uint8_t *plaintext,
                    size_t size)
{
    bool continues = conversation->partial_fragments > 0 && frame->seq == conversation->partial_next &&
                     conversation->partial_fragments < USMP_FRAGMENTS_MAX;
    require(conversation_is_udp(conversation) || conversation->partial_fragments == 0 || continues);
    if (!continues)
        listener_forget(conversation);
    if (frame->type != USMP_DATA && frame->type != USMP_DATA_FRAG)
        return;
    memcpy(conversation->partial + conversation->partial_size, plaintext, size);
    conversation->partial_size += size;
    conversation->partial_fragments++;
    conversation->partial_next = frame->seq + 1;
    if (frame->type == USMP_DATA)
        deliver(conversation);
}

static void switch_keys(struct conversation *conversation, const uint8_t *salt)
{
    require(conversation->role == USMP_DEVICE && conversation->peer_epoch + 1 < CONVERSATION_EPOCHS);
    usmp_keys_rekey(&conversation->keys[conversation->peer_epoch], USMP_DEVICE, conversation->session_id, salt,
                    &conversation->keys[conversation->peer_epoch + 1]);
    departure_peer_rekeyed(conversation);
}

static void acknowledge(struct conversation *conversation, const struct usmp_frame *frame, unsigned epoch)
{
    if (!conversation_is_udp(conversation))
        return;
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    if (conversation->version == USMP_WIRE_1) {
        listener_acknowledge(conversation, utack, usmp_utack_write_plain(frame->type, frame->seq, utack));
        return;
    }
    struct usmp_utack_key key;
    usmp_utack_key_init(&key, conversation_key(&conversation->keys[epoch], conversation->role));
    listener_acknowledge(conversation, utack, usmp_utack_write_keyed(&key, frame->type, frame->seq, utack));
}

/* Its copies come under the old keys and are answered with them. */
static bool is_rekey_copy(const struct conversation *conversation, const struct usmp_frame *frame, unsigned epoch)
{
    return frame->type == USMP_REKEY && conversation->role == USMP_DEVICE && epoch + 1 == conversation->peer_epoch;
}

void listener_hear(struct conversation *conversation, const struct usmp_frame *frame, const uint8_t *plaintext,
                   size_t size, unsigned epoch, enum usmp_suite suite)
{
    if (is_rekey_copy(conversation, frame, epoch)) {
        acknowledge(conversation, frame, epoch);
        return;
    }
    if (epoch != conversation->peer_epoch || suite != conversation->suite) {
        conversation->out_starts_late = true; /* for the peer it has not come */
        if (conversation->blind)
            acknowledge(conversation, frame, conversation->peer_epoch);
        return;
    }
    bool is_new = !taken_has(&conversation->peer_took, frame->seq);
    /* BYE does not wait for what is out: it ends the session, and so does a gap. */
    bool is_strict = (conversation->version == USMP_WIRE_1 || !conversation_is_udp(conversation)) &&
                     frame->type != USMP_BYE && !conversation->forged;
    require(!is_new || !is_strict || conversation->out_starts_late || frame->seq == conversation->peer_took.next);
    if (is_new) {
        conversation->out_starts_late = false;
        taken_add(&conversation->peer_took, frame->seq);
        collect(conversation, frame, plaintext, size);
        if (frame->type == USMP_REKEY)
            switch_keys(conversation, plaintext);
    }
    acknowledge(conversation, frame, epoch);
}

void listener_acknowledge(struct conversation *conversation, const uint8_t *bytes, size_t size)
{
    if (conversation->loses_acks)
        return;
    if (!conversation->holds_acks) {
        departure_acknowledge(conversation, bytes, size);
        return;
    }
    if (conversation->held_count == CONVERSATION_HELD)
        return;
    struct acknowledgement *held = &conversation->held[conversation->held_count++];
    held->size = size;
    memcpy(held->bytes, bytes, size);
}

void listener_release(struct conversation *conversation, unsigned which)
{
    if (conversation->held_count == 0)
        return;
    struct acknowledgement *released = &conversation->held[which % conversation->held_count];
    const struct acknowledgement held = *released;
    conversation->held_count--;
    *released = conversation->held[conversation->held_count];
    departure_acknowledge(conversation, held.bytes, held.size);
}
