#include <usmp/reassembly.h>

#include <assert.h>

#define TAILS 64u /* bits */

void usmp_reassembly_init(struct usmp_reassembly *reassembly)
{
    *reassembly = (struct usmp_reassembly){0};
}

bool usmp_reassembly_is_partial(const struct usmp_reassembly *reassembly)
{
    return reassembly->fragments > 0;
}

static uint32_t due(const struct usmp_reassembly *reassembly)
{
    return reassembly->first + reassembly->fragments;
}

static bool is_message_part(uint8_t type)
{
    return type == USMP_DATA || type == USMP_DATA_FRAG;
}

static bool is_tail(const struct usmp_reassembly *reassembly, uint32_t seq)
{
    if (seq > reassembly->tails_newest)
        return false;
    uint32_t age = reassembly->tails_newest - seq;
    /* Forgotten. The replay window lets through one seq at most that is so old, a frame that its sender gave up long
     * ago; taking it for a tail is the safe mistake. */
    if (age >= TAILS)
        return true;
    return reassembly->tails >> age & 1;
}

static void mark_tail(struct usmp_reassembly *reassembly, uint32_t seq)
{
    if (seq > reassembly->tails_newest) {
        uint32_t ahead = seq - reassembly->tails_newest;
        reassembly->tails = ahead < TAILS ? reassembly->tails << ahead : 0;
        reassembly->tails_newest = seq;
    }
    uint32_t age = reassembly->tails_newest - seq;
    if (age < TAILS)
        reassembly->tails |= UINT64_C(1) << age;
}

/* The frame continues the partial message, or its order is none at all. */
static enum usmp_reassembly_action next_part(const struct usmp_reassembly *reassembly, uint8_t type)
{
    if (!usmp_reassembly_is_partial(reassembly))
        return type == USMP_DATA ? USMP_REASSEMBLY_WHOLE : USMP_REASSEMBLY_BEGIN;
    if (type == USMP_DATA)
        return USMP_REASSEMBLY_COMPLETE;
    return reassembly->fragments + 1 < USMP_FRAGMENTS_MAX ? USMP_REASSEMBLY_APPEND : USMP_REASSEMBLY_BROKEN;
}

static enum usmp_reassembly_action check_tcp(const struct usmp_reassembly *reassembly, uint8_t type, uint32_t seq)
{
    bool is_partial = usmp_reassembly_is_partial(reassembly);
    if (!is_message_part(type))
        return is_partial && type != USMP_BYE ? USMP_REASSEMBLY_BROKEN : USMP_REASSEMBLY_CONTROL;
    if (is_partial && seq != due(reassembly))
        return USMP_REASSEMBLY_BROKEN;
    return next_part(reassembly, type);
}

static struct usmp_reassembly_step check_udp(const struct usmp_reassembly *reassembly, uint8_t type, uint32_t seq)
{
    bool is_partial = usmp_reassembly_is_partial(reassembly);
    bool is_late = is_partial && seq < due(reassembly);
    bool is_early = is_partial && seq > due(reassembly);
    if (!is_message_part(type))
        return (struct usmp_reassembly_step){USMP_REASSEMBLY_CONTROL, is_partial && !is_late};
    if (is_tail(reassembly, seq))
        return (struct usmp_reassembly_step){USMP_REASSEMBLY_DROP, false};
    if (is_late)
        return (struct usmp_reassembly_step){type == USMP_DATA ? USMP_REASSEMBLY_WHOLE : USMP_REASSEMBLY_DROP, false};
    if (is_early)
        return (struct usmp_reassembly_step){type == USMP_DATA ? USMP_REASSEMBLY_WHOLE : USMP_REASSEMBLY_BEGIN, true};

    enum usmp_reassembly_action action = next_part(reassembly, type);
    if (action == USMP_REASSEMBLY_BROKEN) /* it continues what it makes too long */
        return (struct usmp_reassembly_step){USMP_REASSEMBLY_DROP, true};
    return (struct usmp_reassembly_step){action, false};
}

struct usmp_reassembly_step usmp_reassembly_check(const struct usmp_reassembly *reassembly,
                                                  enum usmp_transport transport, uint8_t type, uint32_t seq)
{
    assert(usmp_type_is_encrypted(type));
    assert(seq != USMP_SEQ_LAST || type == USMP_BYE);
    if (transport == USMP_TCP)
        return (struct usmp_reassembly_step){check_tcp(reassembly, type, seq), false};
    return check_udp(reassembly, type, seq);
}

/* Whether a control frame stands where the rest of a dropped message was due: the rest is then behind it. */
static bool pushes_tail_back(const struct usmp_reassembly *before, uint32_t seq, bool drops_partial)
{
    return is_tail(before, seq) || (drops_partial && seq == due(before));
}

void usmp_reassembly_accept(struct usmp_reassembly *reassembly, enum usmp_transport transport, uint8_t type,
                            uint32_t seq)
{
    const struct usmp_reassembly before = *reassembly;
    struct usmp_reassembly_step step = usmp_reassembly_check(reassembly, transport, type, seq);
    assert(step.action != USMP_REASSEMBLY_BROKEN);

    if (step.drops_partial) {
        reassembly->fragments = 0;
        mark_tail(reassembly, due(&before));
    }
    switch (step.action) {
    case USMP_REASSEMBLY_BEGIN:
        reassembly->first = seq;
        reassembly->fragments = 1;
        break;
    case USMP_REASSEMBLY_APPEND:
        reassembly->fragments++;
        break;
    case USMP_REASSEMBLY_COMPLETE:
        reassembly->fragments = 0;
        break;
    case USMP_REASSEMBLY_DROP:
        if (type == USMP_DATA_FRAG)
            mark_tail(reassembly, seq + 1);
        break;
    case USMP_REASSEMBLY_CONTROL:
        if (pushes_tail_back(&before, seq, step.drops_partial))
            mark_tail(reassembly, seq + 1);
        break;
    case USMP_REASSEMBLY_WHOLE:
    case USMP_REASSEMBLY_BROKEN:
        break;
    }
}
