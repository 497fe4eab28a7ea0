/* The way from a shard to the hub: events and finished commands of one loop turn.
 *
 * Owner: the worker. The shard appends during a turn; at its end the worker hands everything over
 * (seam_outbox_take), on the same loop by a call, between threads through a bounded queue. No locks in here.
 *
 * Bounds: an event is appended only after its credit was taken, so an outbox never holds more than the credit that
 * the hub gave (seam/credit.h); batches of SEAM_BATCH_SIZE bytes are allocated as needed and a few are kept for the
 * next turn. When memory is short, seam_outbox_append refuses and nothing has changed: a message is then not
 * accepted, a handshake is refused, the end of a session is told on a later turn.
 */
#ifndef SEAM_OUTBOX_H
#define SEAM_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seam/command.h"
#include "seam/event.h"

#define SEAM_BATCH_SIZE 65536u /* bytes of records in one batch */

struct seam_batch {
    struct seam_batch *next;
    size_t used; /* bytes of records */
    _Alignas(16) uint8_t records[SEAM_BATCH_SIZE];
};

struct seam_outbox {
    struct seam_batch *first;
    struct seam_batch *last;
    struct seam_batch *spare; /* empty batches kept for reuse, at most SEAM_BATCH_SPARES */
    size_t spares;
    struct seam_command *finished; /* commands with an outcome, oldest first */
    struct seam_command **finished_end;
};

#define SEAM_BATCH_SPARES 4u

void seam_outbox_open(struct seam_outbox *outbox);
/* Frees the batches. Finished commands must have been taken before. */
void seam_outbox_close(struct seam_outbox *outbox);

bool seam_outbox_is_empty(const struct seam_outbox *outbox);

/* Copies the event and its payload (event->size bytes). False: memory is short, nothing was appended. */
bool seam_outbox_append(struct seam_outbox *outbox, const struct seam_event *event, const uint8_t *payload)
    __attribute__((warn_unused_result));

/* Hands a command back; its outcome is set. Cannot fail. */
void seam_outbox_finish(struct seam_outbox *outbox, struct seam_command *command, enum seam_outcome outcome);

/* Calls `each` for every event in order, then empties the outbox of events. `payload` lives during the call. The
 * outbox must not be appended to from within. */
void seam_outbox_drain(struct seam_outbox *outbox,
                       void (*each)(void *context, const struct seam_event *event, const uint8_t *payload),
                       void *context);

/* The finished commands, oldest first; the outbox forgets them. */
struct seam_command *seam_outbox_take_finished(struct seam_outbox *outbox) __attribute__((warn_unused_result));

#endif
