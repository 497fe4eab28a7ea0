/* A token bucket in one number: the time at which it will be full again.
 *
 * All zeros is a full one. It holds `burst` tokens and gains one every `interval` until it is full. Times are in
 * microseconds of a monotonic clock that does not go back; burst times interval has to stay far below its range.
 */
#ifndef ADMISSION_TOKEN_BUCKET_H
#define ADMISSION_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct token_bucket {
    uint64_t full_at;
};

struct token_rate {
    uint32_t burst;    /* tokens */
    uint64_t interval; /* microseconds until there is one more */
};

/* Takes `count` tokens, or none when there are fewer. */
static inline bool __attribute__((warn_unused_result))
token_bucket_take(struct token_bucket *bucket, const struct token_rate *rate, uint32_t count, uint64_t now)
{
    uint64_t full_at = (bucket->full_at > now ? bucket->full_at : now) + count * rate->interval;
    if (full_at - now > rate->burst * rate->interval) {
        return false;
    }
    bucket->full_at = full_at;
    return true;
}

/* Tokens that were taken and not used; what does not go in is lost. */
static inline void token_bucket_give_back(struct token_bucket *bucket, const struct token_rate *rate, uint32_t count)
{
    uint64_t gained = count * rate->interval;
    bucket->full_at -= gained < bucket->full_at ? gained : bucket->full_at;
}

#endif
