/* The gateway's own side of a story: who reads its events, sends to devices, edits its files and reloads, and sets its
 * clock.
 *
 * Commands are numbered; what residents heard of them is kept, and compared with the outcomes at the end: a message that
 * is "sent, says the device" was heard once (and once more for each REKEY that came in between), one that was never
 * on the wire was not heard, and they were heard in their order.
 */
#ifndef TESTS_HOSTILE_OPERATOR_H
#define TESTS_HOSTILE_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostile/actor.h"

struct resident;
struct seam_command;

#define OPERATOR_REGIMES 4u

struct operator
{
    struct actor actor;
    unsigned regimes[OPERATOR_REGIMES]; /* between which it switches */
    unsigned reloads;                   /* in a thousand steps of its own */
    unsigned storm;                     /* in a thousand steps of the shard: reloads at every step */
    unsigned clock_steps;               /* in a thousand steps of its own */
    bool is_generous;                   /* gives back at once what was spent */
    bool is_reloading;
    uint64_t credit_kept;
    struct seam_command **commands;
    unsigned *heard;      /* how often, by command */
    uint64_t *last_heard; /* by device: the last command that it heard, and 1 */
    size_t command_count;
};

void operator_begin(struct story *story);
void operator_end(struct story *story);

/* Reloads now, if it feels like it. */
void operator_may_reload(struct story *story);

/* Sends a message; returns the command's number. */
size_t operator_send(struct story *story, unsigned device, uint64_t time_to_live);
/* A resident has got a message. */
void operator_was_heard(struct story *story, const struct resident *resident, const uint8_t *bytes, size_t size);

/* When everything is over. */
void operator_checks_commands(struct story *story);

#endif
