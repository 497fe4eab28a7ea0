/* A device, a gateway, what lies between them, and the time: it stands still while something happens and jumps to
 * what comes next.
 */
#ifndef TESTS_SIMULATION_WORLD_H
#define TESTS_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "simulation/blocks.h"
#include "simulation/device_end.h"
#include "simulation/gateway_end.h"
#include "simulation/link.h"
#include "simulation/random.h"
#include "simulation/trace.h"

#define WORLD_MILLISECONDS UINT64_C(1000)
#define WORLD_SECONDS UINT64_C(1000000)

struct world_settings {
    uint64_t seed;
    uint8_t version;
    enum usmp_transport transport;
    struct link_conditions conditions;
    bool ask_cookie;
    enum usmp_cipher device_cipher;
};

struct world {
    uint64_t now;
    struct simulation_random random;
    struct trace trace;
    struct blocks blocks;
    struct link link;
    struct gateway_end gateway;
    struct device_end device;
};

void world_begin(struct world *world, const struct world_settings *settings);
/* Nothing that a session borrowed may be left over. */
void world_end(struct world *world);

/* The time of the next event; UINT64_MAX if nothing will happen any more. */
uint64_t world_next(const struct world *world);
/* Lets the next event happen. There must be one. */
void world_step(struct world *world);
void world_run_until(struct world *world, uint64_t time);
void world_run_for(struct world *world, uint64_t microseconds);

#endif
