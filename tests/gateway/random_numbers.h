/* SplitMix64: the same numbers for the same seed everywhere. */
#ifndef TESTS_GATEWAY_RANDOM_NUMBERS_H
#define TESTS_GATEWAY_RANDOM_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random_numbers {
    uint64_t state;
};

static inline uint64_t random_next(struct random_numbers *numbers)
{
    uint64_t value = (numbers->state += UINT64_C(0x9E3779B97F4A7C15));
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

/* 0 to `limit` − 1. */
static inline uint64_t random_below(struct random_numbers *numbers, uint64_t limit)
{
    return random_next(numbers) % limit;
}

static inline bool random_chance(struct random_numbers *numbers, unsigned per_mille)
{
    return random_below(numbers, 1000) < per_mille;
}

static inline void random_fill(struct random_numbers *numbers, void *out, size_t size)
{
    for (size_t index = 0; index < size; index++)
        ((uint8_t *)out)[index] = (uint8_t)random_next(numbers);
}

#endif
