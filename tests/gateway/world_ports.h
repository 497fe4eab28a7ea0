/* What a shard does to its world: its ports, and what comes out of its outbox. */
#ifndef TESTS_GATEWAY_WORLD_PORTS_H
#define TESTS_GATEWAY_WORLD_PORTS_H

#include "gateway/world.h"

struct shard_ports world_ports(struct world *world);

/* Takes events and finished commands from the outbox, as a hub does at the end of a turn. */
void world_ports_collect(struct world *world);

#endif
