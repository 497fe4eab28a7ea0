/* Devices that live on their own: they connect, talk, are talked to, reset, roam and hang up as a seed has it, on links
 * with weather, while a hub gives credit and takes its time. Every line of it follows from the seed.
 *
 * What is to hold at the end is written down in crowd_check; what is to hold in between the world asks for itself, and
 * the shard's own assertions.
 */
#ifndef TESTS_GATEWAY_CROWD_H
#define TESTS_GATEWAY_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/world.h"

#define CROWD_MAX 32u

struct inhabitant {
    unsigned number;
    enum usmp_transport transport;
    unsigned wire;
    bool spoken_to; /* wire 1 with v1_downlink, or wire 2 */
    uint8_t id[USMP_DEVICE_ID_SIZE];
    struct simulated_device *end; /* the latest; NULL: none yet */
    uint16_t port;
    uint64_t next_step;
    unsigned messages; /* said so far, over all of its ends */
    unsigned rekeys;
};

struct crowd {
    struct world *world;
    struct random_numbers numbers;
    struct inhabitant inhabitants[CROWD_MAX];
    size_t count;
    uint64_t next_hub_step;
    uint64_t credit_kept; /* by the hub, of what was spent */
    struct seam_command **commands;
    size_t command_count;
};

/* What goes on is a matter of the seed; the texts are the same for all seeds, so they are loaded once. */
struct config *crowd_load(struct registry **registry);
struct crowd *crowd_open(const struct config *config, struct registry *registry, uint64_t seed);

/* Lets them live for that long. */
void crowd_live(struct crowd *crowd, uint64_t microseconds);
/* Good weather and room enough, and everybody goes home. */
void crowd_go_home(struct crowd *crowd);
/* After that: every message that a device knows to be accepted has been told once, in order, under its session, every
 * command came to what its outcome says, events are paired, credit is conserved, nothing is left. */
void crowd_check(struct crowd *crowd);

void crowd_close(struct crowd *crowd);

#endif
