/* Numbers that look random and are the same for the same seed. */
#ifndef TESTS_SIMULATION_RANDOM_H
#define TESTS_SIMULATION_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct simulation_random {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t simulation_random_next(struct simulation_random *random)
{
    uint64_t mixed = random->state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

/* From `least` to `most`. */
static inline uint64_t simulation_random_between(struct simulation_random *random, uint64_t least, uint64_t most)
{
    return least + simulation_random_next(random) % (most - least + 1);
}

static inline bool simulation_random_chance(struct simulation_random *random, unsigned permille)
{
    return simulation_random_next(random) % 1000 < permille;
}

static inline void simulation_random_fill(struct simulation_random *random, uint8_t *bytes, size_t size)
{
    for (size_t index = 0; index < size; index++)
        bytes[index] = (uint8_t)simulation_random_next(random);
}

#endif
