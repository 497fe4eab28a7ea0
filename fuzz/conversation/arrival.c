#include "conversation/arrival.h"

#include <string.h>

#include <usmp/utack.h>

#include "conversation/departure.h"
#include "conversation/fate.h"
#include "conversation/peer.h"
#include "gateway/require.h"

static uint8_t scratch[USMP_PLAINTEXT_MAX];

static void taken(struct conversation *conversation, struct said *said)
{
    taken_add(&conversation->subject_took, said->seq);
    bool continues =
        conversation->intact && said->message == conversation->whose_parts && said->fragment == conversation->parts;
    conversation->intact = said->message >= 0 && (said->fragment == 0 || continues);
    conversation->whose_parts = said->message;
    conversation->parts = said->fragment + 1u;
}

/* An honest peer's message is one of those that it sent, and was never delivered before. */
static void check_honest_message(const struct conversation *conversation, const struct said *said,
                                 const struct usmp_offer *offer)
{
    require(said->message >= 0);
    const struct message *message = &conversation->uplink[said->message];
    require(offer->size == message->size && message->delivered == 0);
    for (size_t index = 0; index < offer->size; index++)
        require(offer->bytes[index] ==
                conversation_content(conversation_peer_role(conversation), said->message, index));
}

static struct said *find_collected(struct conversation *conversation, uint32_t seq)
{
    for (unsigned index = conversation->said_count; index-- > 0;) {
        struct said *said = &conversation->said[index];
        if (said->collected && said->epoch == conversation->subject_epoch && said->seq == seq)
            return said;
    }
    return NULL;
}

/* Whoever sent it: the parts stand one behind the other, and each is in one message only. */
static void check_parts(struct conversation *conversation, const struct said *last, const struct usmp_offer *offer,
                        bool accepted)
{
    size_t rest = offer->size;
    const struct said *part = last;
    for (unsigned count = 1;; count++) {
        require(count <= USMP_FRAGMENTS_MAX && part->plaintext_size <= rest);
        rest -= part->plaintext_size;
        require(part->plaintext_size == 0 || memcmp(offer->bytes + rest, part->plaintext, part->plaintext_size) == 0);
        if (rest == 0)
            break;
        struct said *before = find_collected(conversation, part->seq - 1);
        require(before != NULL);
        part = before;
    }
    if (accepted)
        for (struct said *before = find_collected(conversation, last->seq - 1);
             before != NULL && before->seq >= part->seq; before = find_collected(conversation, before->seq - 1))
            before->collected = false;
}

static void accepted(struct conversation *conversation, struct said *said)
{
    taken(conversation, said);
    if (said->message >= 0)
        conversation->uplink[said->message].delivered++;
}

static void answer_offer(struct conversation *conversation, struct said *said)
{
    struct usmp_session *session = conversation->session;
    const struct usmp_offer offer = session->offer;
    require(session->state == USMP_SESSION_LIVE && offer.size <= USMP_MESSAGE_MAX && offer.bytes != NULL);
    bool takes = conversation->mood == APPLICATION_ACCEPTS;
    check_parts(conversation, said, &offer, takes);
    if (conversation->honest)
        check_honest_message(conversation, said, &offer);
    switch (conversation->mood) {
    case APPLICATION_ACCEPTS:
        accepted(conversation, said);
        usmp_session_accept(session, conversation->now);
        break;
    case APPLICATION_REFUSES:
        usmp_session_refuse(session);
        break;
    case APPLICATION_DEFERS:
        usmp_session_defer(session);
        conversation->deferred = (int)(said - conversation->said);
        conversation->deferred_is_moot = false;
        break;
    }
    require(conversation->answers == (takes && conversation_is_udp(conversation) ? 1u : 0u));
}

void arrival_new_keys(struct conversation *conversation, const struct usmp_keys *keys)
{
    require(conversation->subject_epoch + 1 < CONVERSATION_EPOCHS);
    conversation->keys[++conversation->subject_epoch] = *keys;
    require(memcmp(keys, &conversation->session->keys, sizeof *keys) == 0);
    taken_clear(&conversation->subject_took);
    conversation->intact = false;
    conversation->deferred_is_moot = conversation->deferred >= 0;
    conversation->fragments_acknowledged = 0;
    conversation->may_restart = true;
    conversation->rekeyed_at = conversation->now;
    if (conversation->downlink_out >= 0)
        conversation->downlink[conversation->downlink_out].rekeys++;
}

static void apply_rekey(struct conversation *conversation, const struct said *said)
{
    struct usmp_keys keys;
    usmp_keys_rekey(&conversation->keys[conversation->subject_epoch], conversation_peer_role(conversation),
                    conversation->session_id, said->plaintext, &keys);
    arrival_new_keys(conversation, &keys);
    conversation->last_rekey = (int)(said - conversation->said);
    /* Over TCP the peer has switched when it wrote it; a dishonest one knows at once. */
    if (!conversation_is_udp(conversation) || !conversation->honest)
        departure_peer_rekeyed(conversation);
}

/* The frame opened under the keys of now, so the peer knows them. */
static void confirm_rekey(struct conversation *conversation, const struct said *said, enum usmp_session_verdict verdict)
{
    bool opened = verdict != USMP_SESSION_NOT_AUTHENTIC && verdict != USMP_SESSION_UNEXPECTED;
    if (opened && said->authentic && said->epoch == conversation->subject_epoch) {
        conversation->last_rekey = -1;
        conversation->suite_known = true;
    }
}

static void spend_token(struct conversation *conversation)
{
    fate_refill(conversation);
    require(conversation->tokens >= FATE_TOKEN);
    conversation->tokens -= FATE_TOKEN;
}

static void frame_taken(struct conversation *conversation, struct said *said)
{
    bool is_part = said->type == USMP_DATA || said->type == USMP_DATA_FRAG;
    if (!is_part)
        spend_token(conversation);
    if (said->type == USMP_REKEY) {
        apply_rekey(conversation, said);
        return;
    }
    taken(conversation, said);
    said->collected = said->type == USMP_DATA_FRAG;
}

static enum usmp_session_verdict give(struct conversation *conversation, const struct said *said)
{
    struct usmp_frame frame;
    require(usmp_frame_parse_datagram(said->bytes, said->size, &frame) == USMP_FRAME_COMPLETE);
    if (conversation->role == USMP_DEVICE)
        return usmp_device_receive(&conversation->device, &frame, scratch, conversation->now);
    return usmp_session_receive(conversation->session, &frame, scratch, conversation->now);
}

static bool reads(const struct conversation *conversation)
{
    return conversation_is_udp(conversation) ||
           (conversation->deferred < 0 && conversation->session->state == USMP_SESSION_LIVE);
}

void arrival_deliver(struct conversation *conversation, unsigned index)
{
    struct said *said = &conversation->said[index];
    if (!reads(conversation))
        return;
    const struct fate fate = fate_of(conversation, said);
    conversation->delivering = said;
    conversation->answers = 0;
    enum usmp_session_verdict verdict = give(conversation, said);
    conversation_trace(conversation, "peer: %s seq %u of message %d.%u, keys %u%s: verdict %d of %#x, answers %u",
                       usmp_type_name(said->type), said->seq, said->message, said->fragment, said->epoch,
                       said->authentic ? "" : ", spoiled", (int)verdict, fate.verdicts, conversation->answers);
    require(fate.verdicts & FATE(verdict));
    require((verdict == USMP_SESSION_OFFER) == (conversation->session->offer.bytes != NULL));
    confirm_rekey(conversation, said, verdict);
    if (verdict == USMP_SESSION_OFFER) {
        answer_offer(conversation, said);
    } else {
        bool answered = verdict == USMP_SESSION_NOTHING || verdict == USMP_SESSION_DUPLICATE ||
                        (verdict == USMP_SESSION_OVER && said->type == USMP_BYE);
        require(conversation->answers == (answered && conversation_is_udp(conversation) ? 1u : 0u));
    }
    if (verdict == USMP_SESSION_NOTHING)
        frame_taken(conversation, said);
    if (verdict == USMP_SESSION_OVER)
        fate_check_end(conversation, said);
    bool is_taken =
        verdict == USMP_SESSION_NOTHING || (verdict == USMP_SESSION_OFFER && conversation->mood == APPLICATION_ACCEPTS);
    conversation->delivering = NULL;
    conversation_pump(conversation);
    if (is_taken && !conversation_is_udp(conversation) && conversation->flight.out &&
        conversation->flight.entry == index)
        peer_is_acknowledged(conversation);
}

void arrival_settle(struct conversation *conversation, bool accepted_late)
{
    if (conversation->deferred < 0)
        return;
    struct said *said = &conversation->said[conversation->deferred];
    conversation->deferred = -1;
    bool is_live = conversation->session->state == USMP_SESSION_LIVE;
    bool counts = accepted_late && is_live && !conversation->deferred_is_moot;
    conversation->delivering = said;
    conversation->answers = 0;
    /* Control frames may have moved the window past it meanwhile. */
    if (counts && !taken_has(&conversation->subject_took, said->seq))
        taken(conversation, said);
    if (accepted_late && said->message >= 0)
        require(++conversation->uplink[said->message].delivered == 1);
    usmp_session_settle(conversation->session, accepted_late, conversation->now);
    conversation_trace(conversation, "settled: %d, counts: %d", accepted_late, counts);
    require(conversation->answers == (counts && conversation_is_udp(conversation) ? 1u : 0u));
    conversation->delivering = NULL;
    conversation_pump(conversation);
    if (counts && !conversation_is_udp(conversation))
        peer_is_acknowledged(conversation);
}

void arrival_check_answer(struct conversation *conversation, const uint8_t *bytes, size_t size)
{
    const struct said *said = conversation->delivering;
    struct usmp_utack utack;
    require(said != NULL && conversation_is_udp(conversation) && usmp_utack_read(bytes, size, &utack));
    require(utack.type == said->type && utack.seq == said->seq);
    require(utack.has_mac == (conversation->version == USMP_WIRE_2));
    if (utack.has_mac) {
        struct usmp_utack_key key;
        usmp_utack_key_init(&key,
                            conversation_key(&conversation->keys[said->epoch], conversation_peer_role(conversation)));
        require(usmp_utack_is_authentic(&key, &utack));
    }
    conversation->answers++;
}
