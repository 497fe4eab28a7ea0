/* What leaves next, and when: one thing at a time, messages in their order. */
#include <assert.h>

#include "usmp/report.h"
#include "usmp/talk_internal.h"

bool talk_is_udp(const struct talk *talk)
{
    return talk->link->start.transport == USMP_UDP;
}

void talk_begin_close(struct talk *talk, uint64_t now)
{
    if (talk->link->state != LINK_LIVE)
        return;
    talk->close_until = now + TALK_CLOSE_WITHIN;
    link_close(talk->link, now);
}

static void finish_message(struct talk *talk, uint64_t now)
{
    if (!talk->is_sending)
        return;
    if (!talk->link->is_sending) {
        talk->is_sending = false;
        talk->sent++;
        talk->since_rekey++;
        if (talk->options->verbose)
            report("message %lu %s (%zu bytes)", talk->sent, talk_is_udp(talk) ? "acknowledged" : "written",
                   talk->message.size);
    } else if (talk->link->state == LINK_LIVE && now >= talk->message_until) {
        talk->has_failed = true;
        report("message %lu has not been %s in time", talk->sent + 1, talk_is_udp(talk) ? "acknowledged" : "written");
        talk_begin_close(talk, now);
    }
}

static void fetch_message(struct talk *talk, uint64_t now)
{
    switch (talk->source->next(talk->source, &talk->message)) {
    case SOURCE_MESSAGE:
        talk->has_message = true;
        return;
    case SOURCE_WAIT:
        talk->wants_input = true;
        return;
    case SOURCE_REFUSED:
        talk->has_failed = true;
        return;
    case SOURCE_FAILED:
        talk->has_failed = true;
        break;
    case SOURCE_END:
        break;
    }
    talk->source_ended = true;
    talk->linger_until = now + talk->options->linger;
}

static void start_message(struct talk *talk, uint64_t now)
{
    talk->has_message = false;
    talk->is_sending = link_send(talk->link, talk->message.bytes, talk->message.size, now);
    assert(talk->is_sending || talk->link->state == LINK_OVER);
    talk->message_until = now + talk->options->timeout;
}

static bool is_ping_due(const struct talk *talk, uint64_t now)
{
    return talk->options->ping != 0 && now >= talk->next_ping;
}

static bool is_rekey_due(const struct talk *talk)
{
    return talk->options->rekey_after != 0 && talk->since_rekey >= talk->options->rekey_after;
}

static void start_rekey(struct talk *talk, uint64_t now)
{
    /* Where it cannot be done, the gateway has just done it. */
    talk->since_rekey = 0;
    if (link_rekey(talk->link, now) && talk->options->verbose)
        report("new keys for message %lu", talk->sent + 1);
}

static void start_ping(struct talk *talk, uint64_t now)
{
    talk->next_ping = now + talk->options->ping;
    if (link_ping(talk->link, now) && talk->options->verbose)
        report("PING");
}

/* New keys come right before the message that wants them, as late as can be: what the gateway has on its way meanwhile
 * is lost (docs/protocol.md section 4). */
static void start_next(struct talk *talk, uint64_t now)
{
    if (is_ping_due(talk, now))
        start_ping(talk, now);
    else if (talk->has_message && is_rekey_due(talk))
        start_rekey(talk, now);
    else if (talk->has_message)
        start_message(talk, now);
    else if (!talk->source_ended)
        fetch_message(talk, now);
    else
        talk_begin_close(talk, now);
}

/* Whether there is something to start as soon as the link takes it. */
static bool has_work(const struct talk *talk, uint64_t now)
{
    if (is_ping_due(talk, now) || talk->has_message)
        return true;
    return talk->source_ended ? now >= talk->linger_until : !talk->wants_input;
}

void talk_act(struct talk *talk, uint64_t now)
{
    finish_message(talk, now);
    while (link_can_send(talk->link) && has_work(talk, now))
        start_next(talk, now);
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

uint64_t talk_deadline(const struct talk *talk)
{
    uint64_t deadline = link_deadline(talk->link);
    if (talk->link->state == LINK_CLOSING)
        return earlier(deadline, talk->close_until);
    if (talk->is_sending)
        deadline = earlier(deadline, talk->message_until);
    /* What is due while the link is busy waits for the link. */
    if (!link_can_send(talk->link))
        return deadline;
    if (talk->options->ping != 0)
        deadline = earlier(deadline, talk->next_ping);
    if (talk->source_ended)
        deadline = earlier(deadline, talk->linger_until);
    return deadline;
}
