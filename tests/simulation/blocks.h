/* Blocks for sessions, counted, and given only as far as the test lets them. */
#ifndef TESTS_SIMULATION_BLOCKS_H
#define TESTS_SIMULATION_BLOCKS_H

#include <stddef.h>

#include <usmp/session.h>

#include "simulation/random.h"

struct blocks {
    struct simulation_random *random;
    unsigned shortage; /* thousandths of all requests that are denied */
    size_t out;
};

void *blocks_take(struct blocks *blocks, enum usmp_block block);
void blocks_give(struct blocks *blocks, void *bytes);

#endif
