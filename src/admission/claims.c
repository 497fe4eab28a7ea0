#include "admission/claims.h"

#include <assert.h>
#include <stddef.h>

#include "admission/limiter_table.h"

struct claimed {
    struct limiter_entry entry;
    uint64_t last;
    uint64_t before; /* the one before the last, when there is one */
    bool again;      /* there is */
};

_Static_assert(offsetof(struct claimed, entry) == 0, "a table's object begins with its entry");

bool claims_open(struct claims *claims, const uint8_t hash_key[16])
{
    claims->addresses = limiter_table_open(CLAIMS_ADDRESSES, sizeof(struct claimed), hash_key);
    return claims->addresses != NULL;
}

void claims_close(struct claims *claims)
{
    limiter_table_close(claims->addresses);
    claims->addresses = NULL;
}

void claims_note(struct claims *claims, const struct address *peer, uint64_t now)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    bool again = limiter_table_find(claims->addresses, &networks.keys[0]) != NULL;
    struct claimed *claimed = limiter_table_use(claims->addresses, &networks.keys[0]);
    assert(claimed != NULL);
    claimed->again = again;
    claimed->before = claimed->last;
    claimed->last = now;
}

bool claims_are_suspect(const struct claims *claims, const struct address *peer, uint64_t now)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    const struct claimed *claimed = limiter_table_find(claims->addresses, &networks.keys[0]);
    return claimed != NULL && claimed->again && now - claimed->before <= CLAIMS_WITHIN;
}
