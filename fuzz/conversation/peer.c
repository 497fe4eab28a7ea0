#include "conversation/peer.h"

#include <string.h>

#include <usmp/fragments.h>

#include "conversation/arrival.h"
#include "conversation/departure.h"
#include "gateway/require.h"

static int seal(struct conversation *conversation, uint8_t type, uint32_t seq, size_t size, unsigned epoch)
{
    struct said *said = &conversation->said[conversation->said_count];
    const struct usmp_record_context context = {
        conversation_key(&conversation->keys[epoch], conversation_peer_role(conversation)), conversation->session_id,
        conversation->suite};
    said->size =
        (uint16_t)usmp_record_seal(&context, conversation->version, type, seq, said->plaintext, size, said->bytes);
    said->plaintext_size = (uint16_t)size;
    said->epoch = epoch;
    said->seq = seq;
    said->type = type;
    said->fragment = 0;
    said->message = -1;
    said->authentic = true;
    said->collected = false;
    return (int)conversation->said_count++;
}

static bool has_room(const struct conversation *conversation)
{
    return conversation->said_count < CONVERSATION_FRAMES;
}

/* The seq before the last is the last for a message: what would come behind it could not even say BYE. */
static bool has_seqs(const struct conversation *conversation)
{
    return conversation->peer_seq < USMP_SEQ_LAST - 8;
}

static void transmit(struct conversation *conversation)
{
    arrival_deliver(conversation, conversation->flight.entry);
}

static void launch(struct conversation *conversation, uint8_t type, size_t size)
{
    int entry = seal(conversation, type, conversation->peer_seq, size, conversation->peer_epoch);
    conversation->peer_seq++;
    conversation->flight.out = true;
    conversation->flight.type = type;
    conversation->flight.entry = (unsigned)entry;
    struct said *said = &conversation->said[entry];
    said->message = conversation->flight.message;
    said->fragment = conversation->flight.fragment;
    transmit(conversation);
}

static void launch_part(struct conversation *conversation)
{
    int message = conversation->flight.message;
    size_t index = conversation->flight.fragment;
    size_t whole = conversation->uplink[message].size;
    size_t offset = index * USMP_PLAINTEXT_MAX;
    size_t size = whole - offset < USMP_PLAINTEXT_MAX ? whole - offset : USMP_PLAINTEXT_MAX;
    bool is_last = offset + size == whole;
    struct said *said = &conversation->said[conversation->said_count];
    for (size_t byte = 0; byte < size; byte++)
        said->plaintext[byte] = conversation_content(conversation_peer_role(conversation), message, offset + byte);
    launch(conversation, is_last ? USMP_DATA : USMP_DATA_FRAG, size);
}

void peer_says(struct conversation *conversation, size_t size)
{
    if (conversation->flight.out) {
        transmit(conversation);
        return;
    }
    if (!has_room(conversation) || !has_seqs(conversation) || conversation->uplink_count == CONVERSATION_MESSAGES)
        return;
    if (conversation->owes_fence) {
        peer_controls(conversation, USMP_PONG, 0);
        return;
    }
    conversation->uplink[conversation->uplink_count] = (struct message){.size = size};
    conversation->flight = (struct flight){.message = conversation->uplink_count++};
    launch_part(conversation);
}

void peer_controls(struct conversation *conversation, uint8_t type, uint8_t salt)
{
    if (conversation->flight.out) {
        transmit(conversation);
        return;
    }
    if (!has_room(conversation) || !has_seqs(conversation))
        return;
    size_t size = 0;
    if (type == USMP_REKEY) {
        if (conversation->version == USMP_WIRE_1 || conversation->role == USMP_DEVICE ||
            conversation->peer_epoch != conversation->subject_epoch ||
            conversation->peer_epoch + 1 == CONVERSATION_EPOCHS)
            return;
        size = USMP_REKEY_SALT_SIZE;
        memset(conversation->said[conversation->said_count].plaintext, salt, size);
    }
    conversation->owes_fence = false;
    conversation->flight = (struct flight){.message = -1};
    launch(conversation, type, size);
}

void peer_gives_up(struct conversation *conversation)
{
    struct flight *flight = &conversation->flight;
    if (!flight->out || !conversation_is_udp(conversation) || conversation->version == USMP_WIRE_1 ||
        flight->type == USMP_REKEY)
        return;
    flight->out = false;
    bool of_several = flight->message >= 0 && conversation->uplink[flight->message].size > USMP_PLAINTEXT_MAX;
    if (of_several) {
        conversation->owes_fence = true;
        conversation->peer_seq++;
    }
}

void peer_is_acknowledged(struct conversation *conversation)
{
    struct flight *flight = &conversation->flight;
    if (!flight->out)
        return;
    flight->out = false;
    if (flight->type == USMP_REKEY) {
        if (conversation->peer_epoch < conversation->subject_epoch)
            departure_peer_rekeyed(conversation);
        return;
    }
    if (flight->type == USMP_DATA && conversation->honest)
        require(conversation->uplink[flight->message].delivered == 1);
    if (flight->type != USMP_DATA_FRAG || !has_room(conversation))
        return;
    flight->fragment++;
    launch_part(conversation);
}

void peer_hears_utack(struct conversation *conversation, uint8_t type, uint32_t seq, unsigned epoch)
{
    const struct flight *flight = &conversation->flight;
    const struct said *said = &conversation->said[flight->entry];
    if (!flight->out || said->type != type || said->seq != seq || said->epoch != epoch)
        return;
    peer_is_acknowledged(conversation);
}

int peer_forges(struct conversation *conversation, uint8_t type, uint32_t seq, size_t size, unsigned epoch)
{
    if (!has_room(conversation))
        return -1;
    uint8_t *plaintext = conversation->said[conversation->said_count].plaintext;
    for (size_t byte = 0; byte < size; byte++)
        plaintext[byte] = (uint8_t)(seq + byte * 5 + type + conversation->said_count);
    return seal(conversation, type, seq, size, epoch);
}

int peer_spoils(struct conversation *conversation, unsigned entry, uint8_t place)
{
    if (!has_room(conversation))
        return -1;
    struct said *said = &conversation->said[conversation->said_count];
    *said = conversation->said[entry];
    uint8_t payload[USMP_PAYLOAD_MAX];
    size_t length = said->size - (size_t)USMP_HEADER_SIZE;
    memcpy(payload, said->bytes + USMP_HEADER_SIZE, length);
    payload[place % length] ^= 0x20;
    (void)usmp_frame_write(conversation->version, said->type, said->seq, payload, length, said->bytes);
    said->authentic = false;
    said->collected = false;
    return (int)conversation->said_count++;
}
