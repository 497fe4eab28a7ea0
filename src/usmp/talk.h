/* A session from its first message to BYE: messages from a source go up one at a time, what comes down is printed.
 * Nothing is read from the source while a message is under way. */
#ifndef USMP_TALK_H
#define USMP_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "usmp/link.h"
#include "usmp/printer.h"
#include "usmp/source.h"

#define TALK_CLOSE_WITHIN 2000000u /* microseconds that a gateway has for BYE */

struct talk_options {
    uint64_t timeout;     /* microseconds for a message to be acknowledged (UDP) or written (TCP) */
    uint64_t linger;      /* microseconds from the source's end to BYE */
    uint64_t ping;        /* microseconds from one PING to the next, 0: none */
    uint32_t rekey_after; /* messages, 0: never */
    bool to_the_end;      /* a signal before the source's end is a failure */
    bool verbose;
};

/* Internal, but sized here. */
struct talk {
    const struct talk_options *options;
    struct printer *printer;
    struct link *link;
    struct source *source;
    int interruption;
    bool wants_input; /* the source has nothing until its descriptor is readable */
    bool source_ended;
    bool has_message; /* `message` is next */
    bool is_sending;  /* `message` is under way */
    bool has_failed;  /* and standard error knows of it */
    bool cannot_print;
    unsigned long sent;
    unsigned long not_shown; /* messages that came down without a printer */
    uint32_t since_rekey;
    uint64_t message_until;
    uint64_t linger_until;
    uint64_t close_until;
    uint64_t next_ping;
    struct source_message message;
};

/* `printer` may be NULL: what comes down is then taken, and how much that was is said at the end. Both pointers are
 * the caller's and used until the end of talk_run(). */
void talk_init(struct talk *talk, struct printer *printer, const struct talk_options *options);

/* For the link that talk_run() will have. */
struct link_receiver talk_receiver(struct talk *talk) __attribute__((warn_unused_result));

/* With a live link, until it is over. SIGINT and SIGTERM say BYE, and a second one ends the process. True when all went
 * as it was meant to; otherwise standard error knows why. */
bool talk_run(struct talk *talk, struct link *link, struct source *source) __attribute__((warn_unused_result));

#endif
