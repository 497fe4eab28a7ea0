#include "delivery/credit_ledger.h"

#include <assert.h>
#include <stdlib.h>

#define DROPPING_SHARE 4u /* this part of the limit is granted where the oldest events make room */

bool credit_ledger_open(struct credit_ledger *ledger, uint64_t limit, bool drops_oldest, unsigned shards)
{
    assert(shards > 0);
    uint64_t *granted_to = calloc(shards, sizeof *granted_to);
    if (granted_to == NULL)
        return false;
    *ledger = (struct credit_ledger){
        .limit = limit, .drops_oldest = drops_oldest, .shards = shards, .granted_to = granted_to};
    return true;
}

void credit_ledger_close(struct credit_ledger *ledger)
{
    free(ledger->granted_to);
    ledger->granted_to = NULL;
}

static void spend(struct credit_ledger *ledger, unsigned shard, uint64_t cost)
{
    assert(ledger->granted_to[shard] >= cost);
    ledger->granted_to[shard] -= cost;
    ledger->granted -= cost;
}

void credit_ledger_arrive(struct credit_ledger *ledger, unsigned shard, const struct seam_event *event)
{
    assert(shard < ledger->shards);
    uint64_t cost = seam_event_cost(event->size);
    ledger->queued += cost;
    switch (event->kind) {
    case SEAM_CONNECTED:
        spend(ledger, shard, cost + seam_event_cost(0));
        if (!ledger->drops_oldest)
            ledger->reserved += seam_event_cost(0);
        break;
    case SEAM_MESSAGE:
        spend(ledger, shard, cost);
        break;
    case SEAM_DISCONNECTED:
        if (!ledger->drops_oldest) {
            assert(ledger->reserved >= cost);
            ledger->reserved -= cost;
        }
        break;
    }
}

void credit_ledger_leave(struct credit_ledger *ledger, uint64_t cost)
{
    assert(ledger->queued >= cost);
    ledger->queued -= cost;
}

/* What all shards together hold when none has anything on its way. */
static uint64_t grantable(const struct credit_ledger *ledger)
{
    if (ledger->drops_oldest)
        return ledger->limit / DROPPING_SHARE;
    return credit_ledger_room(ledger);
}

uint64_t credit_ledger_excess(const struct credit_ledger *ledger)
{
    if (!ledger->drops_oldest)
        return 0;
    uint64_t most = ledger->limit - grantable(ledger);
    return ledger->queued > most ? ledger->queued - most : 0;
}

uint64_t credit_ledger_grant(struct credit_ledger *ledger, unsigned shard)
{
    assert(shard < ledger->shards);
    uint64_t all = grantable(ledger);
    assert(all >= ledger->granted);
    uint64_t free_bytes = all - ledger->granted;
    uint64_t part = all / ledger->shards;
    uint64_t held = ledger->granted_to[shard];
    uint64_t given = held < part ? part - held : 0;
    if (given > free_bytes)
        given = free_bytes;
    ledger->granted_to[shard] += given;
    ledger->granted += given;
    return given;
}

uint64_t credit_ledger_room(const struct credit_ledger *ledger)
{
    return ledger->limit - ledger->queued - ledger->reserved;
}

void credit_ledger_check(const struct credit_ledger *ledger, bool all_granted)
{
    uint64_t sum = 0;
    for (unsigned shard = 0; shard < ledger->shards; shard++)
        sum += ledger->granted_to[shard];
    assert(sum == ledger->granted);
    if (ledger->drops_oldest)
        assert(ledger->queued + ledger->granted <= ledger->limit);
    else
        assert(ledger->queued + ledger->granted + ledger->reserved <= ledger->limit);
    /* With one shard nothing free is kept back; with more, what their parts leave over. */
    if (all_granted && ledger->shards == 1)
        assert(ledger->granted == grantable(ledger));
}
