#include "admission/rate_limiter.h"

#include <assert.h>
#include <stddef.h>

#include "admission/limiter_table.h"

struct bucket {
    struct limiter_entry entry;
    struct token_bucket tokens;
};

_Static_assert(offsetof(struct bucket, entry) == 0, "a table's object begins with its entry");

bool rate_limiter_open(struct rate_limiter *limiter, uint32_t capacity, struct token_rate rate,
                       const uint8_t hash_key[16])
{
    limiter->rate = rate;
    limiter->buckets = limiter_table_open(capacity, sizeof(struct bucket), hash_key);
    return limiter->buckets != NULL;
}

void rate_limiter_close(struct rate_limiter *limiter)
{
    limiter_table_close(limiter->buckets);
    limiter->buckets = NULL;
}

bool rate_limiter_take(struct rate_limiter *limiter, const struct limiter_key *key, uint64_t now)
{
    struct bucket *bucket = limiter_table_find(limiter->buckets, key);
    if (bucket == NULL) {
        bucket = limiter_table_use(limiter->buckets, key);
        assert(bucket != NULL); /* none is held */
    }
    bool taken = token_bucket_take(&bucket->tokens, &limiter->rate, 1, now);
    if (taken) {
        (void)!limiter_table_use(limiter->buckets, key);
    }
    return taken;
}
