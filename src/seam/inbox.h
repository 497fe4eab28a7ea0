/* The way from the hub to a shard: commands, new credit and who gets none, collected by the hub and taken by the
 * worker.
 *
 * With one worker both are on one loop: the hub fills the inbox, calls `wake`, and the worker empties it before the
 * loop sleeps. Between threads a worker's inbox is filled under a lock of its own and taken whole. The hub never
 * calls into a shard.
 */
#ifndef SEAM_INBOX_H
#define SEAM_INBOX_H

#include <stdbool.h>

#include "seam/command.h"
#include "seam/credit.h"
#include "seam/denied.h"

struct seam_inbox {
    struct seam_command *commands; /* oldest first */
    struct seam_command **commands_end;
    struct seam_credit credit;   /* given since the inbox was last emptied */
    bool credited;               /* whether any credit came */
    struct seam_denied denied;   /* as told last */
    bool denied_changed;         /* since it was last taken */
    void (*wake)(void *context); /* set by the worker: there is something to take; may be called often */
    void *wake_context;
};

void seam_inbox_open(struct seam_inbox *inbox, void (*wake)(void *context), void *wake_context);

/* The inbox owns the command until it is taken. */
void seam_inbox_command(struct seam_inbox *inbox, struct seam_command *command);
void seam_inbox_give_credit(struct seam_inbox *inbox, unsigned backend, uint64_t bytes);
/* From now on, and until told otherwise, these devices get no credit of this backend. */
void seam_inbox_deny(struct seam_inbox *inbox, unsigned backend, const struct seam_denied_list *list);

/* What the worker takes first, so that those who get no credit do not find new one: NULL if nothing has changed. Valid
 * until the hub fills the inbox again. */
const struct seam_denied *seam_inbox_take_denied(struct seam_inbox *inbox) __attribute__((warn_unused_result));

/* What the worker takes then: commands oldest first, and the credit; the inbox is empty afterwards. */
struct seam_command *seam_inbox_take(struct seam_inbox *inbox, struct seam_credit *credit, bool *credited)
    __attribute__((warn_unused_result));

#endif
