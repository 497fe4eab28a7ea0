/* Strict devices in a gateway's world (gateway/world.h), in virtual time: each guest is an application on a strict device
 * that calls the gateway through a port of the world, a new one for each call unless it keeps its own. */
#ifndef TESTS_DEVICE_GUEST_H
#define TESTS_DEVICE_GUEST_H

#include "device/application.h"
#include "gateway/world.h"

#define GUEST_PSK "a key for the strict guests of this world"
#define GUEST_HEARD_MAX 64u

struct guest {
    struct world *world;
    struct simulated_device *port; /* bare; NULL: none yet */
    struct strict_application application;
    struct strict_application_owner owner;
    struct address address; /* of the next call */
    bool keeps_port;
    bool wants_to_dial;
    size_t sessions; /* that it has had */
    enum strict_end last_end;
    size_t heard; /* messages of the gateway */
    struct strict_post last_heard;
    size_t said; /* acknowledged, or written */
};

/* The id is 02:00:00:00:00:<number>, the address 192.0.2.<number>. */
void guest_arrive(struct guest *guest, struct world *world, const char *era, const struct strict_port *port,
                  enum strict_transport transport, uint8_t number);
void guest_leave(struct guest *guest);
/* Power fails and comes back: it calls at once, and knows nothing of before. */
void guest_reset(struct guest *guest);

void guest_say(struct guest *guest, const char *text);

/* Lets time pass in the world and for its guests, a millisecond at a time. */
void guests_run(struct guest *guests, size_t count, uint64_t microseconds);

#endif
