/* A token bucket for each key, in fixed memory.
 *
 * In a full table the key that took a token longest ago is forgotten, which fills its bucket. An attempt that was
 * refused does not count for that, so nobody can keep others in the table, or himself, by asking alone.
 */
#ifndef ADMISSION_RATE_LIMITER_H
#define ADMISSION_RATE_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#include "admission/limiter_key.h"
#include "admission/token_bucket.h"

struct limiter_table;

struct rate_limiter {
    struct limiter_table *buckets;
    struct token_rate rate;
};

/* `capacity`: buckets that are kept. False: memory is short. */
bool rate_limiter_open(struct rate_limiter *limiter, uint32_t capacity, struct token_rate rate,
                       const uint8_t hash_key[16]) __attribute__((warn_unused_result));
/* Also on one that is all zeros. */
void rate_limiter_close(struct rate_limiter *limiter);

/* Takes one token of a key. */
bool rate_limiter_take(struct rate_limiter *limiter, const struct limiter_key *key, uint64_t now)
    __attribute__((warn_unused_result));

#endif
