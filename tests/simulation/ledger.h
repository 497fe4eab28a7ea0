/* The messages of one direction: what has been sent, what its sender was told, how often it was taken, and whether
 * that may be.
 *
 * Over datagrams: what is told to have arrived has been taken, once, while it was the newest that was sent; a message
 * that was out when REKEY came may be taken once more for each (docs/protocol.md section 4); what nobody was told
 * about is taken once at most. Over a stream: everything once at most and in order.
 */
#ifndef TESTS_SIMULATION_LEDGER_H
#define TESTS_SIMULATION_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

#include "simulation/random.h"

#define LEDGER_MESSAGES 24

enum ledger_fate {
    LEDGER_WAITING,
    LEDGER_OUT,
    LEDGER_ARRIVED, /* says the sender's session */
    LEDGER_UNKNOWN, /* given up, or the session ended */
};

struct ledger_message {
    size_t size;
    uint8_t bytes[USMP_MESSAGE_MAX];
    enum ledger_fate fate;
    unsigned rekeys; /* that came while it was out */
    unsigned taken;  /* how often, by the other end */
};

struct ledger {
    enum usmp_transport transport;
    struct ledger_message messages[LEDGER_MESSAGES];
    size_t next;          /* not sent yet */
    size_t taken_highest; /* index + 1 of the last one taken; over datagrams, of those that were out then */
    const char *broken;   /* the first rule that was, NULL when none is */
};

/* Messages that can be told apart, of all sizes; `name` is their first letter. */
void ledger_begin(struct ledger *ledger, enum usmp_transport transport, char name, struct simulation_random *random);

/* The next message, which is out from now on; NULL when there is none left. One may be out at a time. */
struct ledger_message *ledger_send(struct ledger *ledger);
/* The one that is out, or NULL. */
struct ledger_message *ledger_out(struct ledger *ledger);

/* The other end has taken something. */
void ledger_take(struct ledger *ledger, const uint8_t *bytes, size_t size);
/* The sender is told that the one that is out has arrived. */
void ledger_arrive(struct ledger *ledger);
/* The sender will not be told about the one that is out, if any. */
void ledger_give_up(struct ledger *ledger);

/* Whether all have been sent and none is out. */
bool ledger_is_done(const struct ledger *ledger);
/* How many have arrived; sets `broken` where one has not been taken as it should. */
size_t ledger_close(struct ledger *ledger);

#endif
