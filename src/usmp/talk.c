#include "usmp/talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "platform/clock.h"
#include "usmp/interruption.h"
#include "usmp/report.h"
#include "usmp/talk_internal.h"
#include "usmp/waiting.h"

enum descriptor {
    DESCRIPTOR_LINK,
    DESCRIPTOR_SOURCE,
    DESCRIPTOR_PRINTER,
    DESCRIPTOR_INTERRUPTION,
    DESCRIPTORS,
};

static bool has_room(void *context)
{
    struct talk *talk = context;
    return talk->printer == NULL || (!talk->cannot_print && printer_has_room(talk->printer));
}

static void receive(void *context, const uint8_t *bytes, size_t size)
{
    struct talk *talk = context;
    if (talk->printer != NULL)
        printer_add(talk->printer, bytes, size);
    else
        talk->not_shown++;
}

void talk_init(struct talk *talk, struct printer *printer, const struct talk_options *options)
{
    *talk = (struct talk){.options = options, .printer = printer, .interruption = -1};
}

struct link_receiver talk_receiver(struct talk *talk)
{
    return (struct link_receiver){talk, has_room, receive};
}

static bool has_to_print(const struct talk *talk)
{
    return talk->printer != NULL && !talk->cannot_print && talk->printer->size > 0;
}

static void prepare(const struct talk *talk, struct pollfd descriptors[static DESCRIPTORS])
{
    const struct link *link = talk->link;
    short events = link_events(link);
    bool reads = talk->wants_input && link->state == LINK_LIVE;
    bool prints = has_to_print(talk);
    descriptors[DESCRIPTOR_LINK] = (struct pollfd){.fd = events != 0 ? link->socket : -1, .events = events};
    descriptors[DESCRIPTOR_SOURCE] = (struct pollfd){.fd = reads ? talk->source->descriptor : -1, .events = POLLIN};
    descriptors[DESCRIPTOR_PRINTER] = (struct pollfd){.fd = prints ? talk->printer->descriptor : -1, .events = POLLOUT};
    descriptors[DESCRIPTOR_INTERRUPTION] = (struct pollfd){.fd = talk->interruption, .events = POLLIN};
}

static void print(struct talk *talk, uint64_t now)
{
    if (printer_write(talk->printer))
        return;
    report("standard output: %s", strerror(errno));
    talk->has_failed = true;
    talk->cannot_print = true;
    talk_begin_close(talk, now);
}

/* The next signal ends the process, so that a gateway that does not answer cannot hold it up. */
static void stop(struct talk *talk, uint64_t now)
{
    interruption_close(talk->interruption);
    talk->interruption = -1;
    if (talk->options->to_the_end && !talk->source_ended) {
        report("interrupted");
        talk->has_failed = true;
    }
    talk_begin_close(talk, now);
}

static void wait_and_service(struct talk *talk)
{
    struct pollfd descriptors[DESCRIPTORS];
    prepare(talk, descriptors);
    waiting_poll(descriptors, DESCRIPTORS, talk_deadline(talk));
    uint64_t now = clock_monotonic_us();
    if (descriptors[DESCRIPTOR_PRINTER].revents != 0)
        print(talk, now);
    if (descriptors[DESCRIPTOR_SOURCE].revents != 0) {
        talk->wants_input = false;
        talk->source->read(talk->source);
    }
    link_service(talk->link, descriptors[DESCRIPTOR_LINK].revents, now);
    if (descriptors[DESCRIPTOR_INTERRUPTION].revents != 0)
        stop(talk, now);
}

static bool has_closed_in_vain(const struct talk *talk, uint64_t now)
{
    return talk->link->state == LINK_CLOSING && now >= talk->close_until;
}

/* What is left may wait for its reader: nothing else has to be done any more. */
static void print_rest(struct talk *talk)
{
    while (has_to_print(talk)) {
        struct pollfd descriptor = {.fd = talk->printer->descriptor, .events = POLLOUT};
        waiting_poll(&descriptor, 1, WAITING_FOR_EVER);
        print(talk, clock_monotonic_us());
    }
}

/* Over UDP everything had been acknowledged before BYE left; over TCP it had been written, and the gateway has read it
 * if it closes in order. */
static void judge_close(struct talk *talk)
{
    const struct link *link = talk->link;
    struct error_text reason;
    if (link->end == LINK_END_CLOSED) {
        if (talk->options->verbose)
            report("closed");
    } else if (link->end == LINK_END_NONE || talk_is_udp(talk)) {
        if (talk->options->verbose)
            report("closed; the gateway did not answer BYE");
    } else {
        link_explain(link, &reason);
        report("%s while it was being closed: the last messages may not have arrived", reason.text);
        talk->has_failed = true;
    }
}

static void judge_end(struct talk *talk)
{
    struct error_text reason;
    link_explain(talk->link, &reason);
    if (talk->is_sending)
        report("%s before message %lu was %s", reason.text, talk->sent + 1,
               talk_is_udp(talk) ? "acknowledged" : "written");
    else
        report("%s", reason.text);
    talk->has_failed = true;
}

bool talk_run(struct talk *talk, struct link *link, struct source *source)
{
    talk->link = link;
    talk->source = source;
    talk->interruption = interruption_open();
    uint64_t now = clock_monotonic_us();
    talk->next_ping = now + talk->options->ping;
    talk_act(talk, now);
    while (link->state != LINK_OVER && !has_closed_in_vain(talk, now)) {
        wait_and_service(talk);
        now = clock_monotonic_us();
        talk_act(talk, now);
    }
    interruption_close(talk->interruption);
    print_rest(talk);
    if (talk->close_until != 0)
        judge_close(talk);
    else
        judge_end(talk);
    if (talk->not_shown > 0)
        report("messages that came down and are not shown: %lu; `usmp connect` shows them", talk->not_shown);
    return !talk->has_failed;
}
