/* The books of one backend's queue: what is queued, what the shards may still send, what is set aside.
 *
 * block: queued + granted + reserved ≤ limit, and everything free is granted at once; so whatever a shard accepts has
 * its place, and a shard without credit accepts nothing. `reserved` is for the `disconnected` of each live session,
 * taken together with its `connected`.
 *
 * drop_oldest: a quarter of the limit is granted, again and again, and the oldest events go where that leaves no room:
 * queued + granted ≤ limit. Nothing is reserved, a `disconnected` displaces what is older.
 *
 * Several shards: each may hold an equal part of what is granted, and what becomes free goes to those who hold less
 * than that. Bytes everywhere, counted as seam_event_cost() counts.
 */
#ifndef DELIVERY_CREDIT_LEDGER_H
#define DELIVERY_CREDIT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "seam/event.h"

struct credit_ledger {
    uint64_t limit;
    bool drops_oldest;
    uint64_t queued;   /* until the kernel has it */
    uint64_t reserved; /* block only */
    uint64_t granted;  /* by all shards together: given and not yet spent, as far as their events have come */
    unsigned shards;
    uint64_t *granted_to; /* one for each shard */
};

/* `limit` is at least 64 KiB, `shards` at least 1. False: memory is short. */
bool credit_ledger_open(struct credit_ledger *ledger, uint64_t limit, bool drops_oldest, unsigned shards)
    __attribute__((warn_unused_result));
void credit_ledger_close(struct credit_ledger *ledger);

/* An event came from a shard, which had the credit for it. */
void credit_ledger_arrive(struct credit_ledger *ledger, unsigned shard, const struct seam_event *event);

/* An event is gone: written, dropped, or never stored. */
void credit_ledger_leave(struct credit_ledger *ledger, uint64_t cost);

/* How much has to be dropped from the queue now; always 0 with block. */
uint64_t credit_ledger_excess(const struct credit_ledger *ledger);

/* What a shard is to be given now; it counts as granted from here on. */
uint64_t credit_ledger_grant(struct credit_ledger *ledger, unsigned shard) __attribute__((warn_unused_result));

/* What is neither queued nor reserved: 0 says that devices wait. */
uint64_t credit_ledger_room(const struct credit_ledger *ledger);

/* Asserts what is promised above; `all_granted` says that credit_ledger_grant() was called for every shard since the
 * last change. */
void credit_ledger_check(const struct credit_ledger *ledger, bool all_granted);

#endif
