#include "conversation/fate.h"

#include <string.h>

#include "gateway/require.h"

#define DROPPED (FATE(USMP_SESSION_NOT_AUTHENTIC) | FATE(USMP_SESSION_UNEXPECTED))

void fate_refill(struct conversation *conversation)
{
    conversation->tokens += conversation->now - conversation->tokens_at;
    conversation->tokens_at = conversation->now;
    if (conversation->tokens > FATE_TOKENS_MAX)
        conversation->tokens = FATE_TOKENS_MAX;
}

static bool is_part(uint8_t type)
{
    return type == USMP_DATA || type == USMP_DATA_FRAG;
}

enum order {
    ORDER_NEW,
    ORDER_KNOWN,
    ORDER_WRONG,
};

static enum order order_of(const struct conversation *conversation, const struct said *said)
{
    const struct taken *taken = &conversation->subject_took;
    if (!conversation_is_udp(conversation))
        return said->seq == taken->next ? ORDER_NEW : ORDER_WRONG;
    if (conversation->version == USMP_WIRE_1) {
        if (said->seq == taken->next)
            return ORDER_NEW;
        return taken->count > 0 && said->seq == taken->next - 1 ? ORDER_KNOWN : ORDER_WRONG;
    }
    /* Before anything was taken the highest is 0. */
    bool too_old = (int64_t)said->seq <= (int64_t)taken->highest - 64;
    return too_old || taken_has(taken, said->seq) ? ORDER_KNOWN : ORDER_NEW;
}

/* What an honest peer sends is a message as soon as it is all there. */
static unsigned fate_of_honest_part(const struct conversation *conversation, const struct said *said)
{
    if (said->type == USMP_DATA_FRAG)
        return FATE(USMP_SESSION_NOTHING) | (conversation->blocks_left == 0 ? FATE(USMP_SESSION_NOT_NOW) : 0);
    bool is_single = said->fragment == 0;
    /* One that its sender gave up so long ago that nobody can tell what it belonged to. */
    bool at_the_edge = (uint64_t)said->seq + 63 <= conversation->subject_took.highest;
    bool is_whole = is_single || (conversation->intact && conversation->whose_parts == said->message &&
                                  conversation->parts == said->fragment);
    if (is_whole && !at_the_edge)
        return FATE(USMP_SESSION_OFFER);
    return FATE(USMP_SESSION_OFFER) | FATE(USMP_SESSION_NOTHING);
}

static unsigned fate_of_part(const struct conversation *conversation, const struct said *said)
{
    bool waits = conversation->deferred >= 0 && conversation->session->deferred;
    if (waits)
        return FATE(USMP_SESSION_NOT_NOW);
    if (conversation->honest)
        return fate_of_honest_part(conversation, said);
    unsigned fate = FATE(USMP_SESSION_NOTHING);
    if (said->type == USMP_DATA)
        fate |= FATE(USMP_SESSION_OFFER);
    else if (conversation->blocks_left == 0)
        fate |= FATE(USMP_SESSION_NOT_NOW);
    return conversation_is_udp(conversation) ? fate : fate | FATE(USMP_SESSION_OVER);
}

static unsigned fate_of_control(struct conversation *conversation, const struct said *said)
{
    fate_refill(conversation);
    if (conversation->tokens < FATE_TOKEN)
        return FATE(USMP_SESSION_OVER);
    unsigned fate = FATE(USMP_SESSION_NOTHING);
    bool is_udp = conversation_is_udp(conversation);
    if (said->type == USMP_REKEY && is_udp) {
        if (conversation->session->outgoing.type == USMP_REKEY)
            return FATE(USMP_SESSION_UNEXPECTED);
        if (conversation->blocks_left == 0)
            fate |= FATE(USMP_SESSION_NOT_NOW);
    }
    /* Inside a message it ends the session; and PONG may need the last seq. */
    bool uses_last = said->type == USMP_PING && conversation->session->send_next == USMP_SEQ_LAST;
    if (!is_udp && (!conversation->honest || uses_last))
        fate |= FATE(USMP_SESSION_OVER);
    return fate;
}

static unsigned fate_of_new(struct conversation *conversation, const struct said *said)
{
    if (said->type == USMP_BYE || said->seq == USMP_SEQ_LAST)
        return FATE(USMP_SESSION_OVER);
    return is_part(said->type) ? fate_of_part(conversation, said) : fate_of_control(conversation, said);
}

static bool opens(const struct conversation *conversation, const struct said *said)
{
    return said->authentic && said->epoch == conversation->subject_epoch;
}

static unsigned fate_of_datagram(struct conversation *conversation, const struct said *said)
{
    if (conversation->session->state == USMP_SESSION_CLOSING && said->type != USMP_BYE)
        return FATE(USMP_SESSION_UNEXPECTED);
    bool is_last_rekey = conversation->last_rekey >= 0 && said == &conversation->said[conversation->last_rekey];
    if (is_last_rekey)
        return FATE(USMP_SESSION_DUPLICATE);
    if (!opens(conversation, said))
        return DROPPED;
    enum order order = order_of(conversation, said);
    if (order == ORDER_WRONG)
        return FATE(USMP_SESSION_UNEXPECTED);
    bool waits = conversation->deferred >= 0 && conversation->session->deferred && !conversation->deferred_is_moot;
    if (waits && said->seq == conversation->said[conversation->deferred].seq)
        return FATE(USMP_SESSION_WAITING);
    return order == ORDER_KNOWN ? FATE(USMP_SESSION_DUPLICATE) : fate_of_new(conversation, said);
}

/* Wire 1 has one key and one nonce sequence for both directions: a device that says what the gateway said, under the
 * same seq, sends the same bytes, and is taken for a mirror (docs/security.md rule 21). */
static bool looks_reflected(const struct conversation *conversation, const struct said *said)
{
    if (conversation->version == USMP_WIRE_2 || conversation->role == USMP_DEVICE)
        return false;
    for (unsigned index = conversation->sent_count; index-- > 0;)
        if (conversation->sent[index].size == said->size &&
            memcmp(conversation->sent[index].bytes, said->bytes, said->size) == 0)
            return conversation->session->send_next - said->seq <= 64;
    return false;
}

struct fate fate_of(struct conversation *conversation, const struct said *said)
{
    if (conversation->session->state == USMP_SESSION_ENDED)
        return (struct fate){DROPPED | (said->type == USMP_BYE ? FATE(USMP_SESSION_DUPLICATE) : 0)};
    if (looks_reflected(conversation, said))
        return (struct fate){conversation_is_udp(conversation) ? DROPPED : FATE(USMP_SESSION_OVER)};
    if (conversation_is_udp(conversation))
        return (struct fate){fate_of_datagram(conversation, said)};
    if (!opens(conversation, said) || order_of(conversation, said) != ORDER_NEW)
        return (struct fate){FATE(USMP_SESSION_OVER)};
    return (struct fate){fate_of_new(conversation, said)};
}

void fate_check_end(const struct conversation *conversation, const struct said *said)
{
    enum usmp_end end = conversation->session->end;
    require(conversation->session->state == USMP_SESSION_ENDED);
    if (said->type == USMP_BYE && said->authentic && conversation->honest)
        require(end == USMP_END_BYE || end == USMP_END_CLOSED);
    else if (conversation->honest && !looks_reflected(conversation, said))
        require(end == USMP_END_EXHAUSTED || (end == USMP_END_PROTOCOL && conversation->tokens < FATE_TOKEN));
    else
        require(end != USMP_END_NONE && end != USMP_END_UNCONFIRMED && end != USMP_END_GIVEN_UP);
}
