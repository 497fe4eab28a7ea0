/* What most tests of this room begin with: a registry of three devices, and one of them connected. */
#ifndef TESTS_GATEWAY_FIXTURE_H
#define TESTS_GATEWAY_FIXTURE_H

#include "gateway/expect.h"

#define PSK "a long secret that nobody guesses"
#define OTHER_PSK "another secret, that nobody guesses"
#define ID "de:ad:be:ef:00:01"
#define OTHER_ID "de:ad:be:ef:00:02"
#define THIRD_ID "de:ad:be:ef:00:03"
#define UNKNOWN_ID "de:ad:be:ef:00:99"
#define ADDRESS "192.0.2.7:50123"
#define OTHER_ADDRESS "192.0.2.8:50124"

#define DEVICES                                                                                                        \
    "devices:\n"                                                                                                       \
    "  '" ID "': {psk: '" PSK "'}\n"                                                                                   \
    "  '" OTHER_ID "': {psk: '" OTHER_PSK "'}\n"                                                                       \
    "  '" THIRD_ID "': {psk: '" PSK "'}\n"

static inline struct simulated_device *connected(struct world *world, enum usmp_transport transport, unsigned wire)
{
    struct simulated_device *device = world_connect(world, transport, wire, ID, PSK, ADDRESS);
    world_settle(world);
    assert_true(simulated_device_is_connected(device));
    return device;
}

static inline struct simulated_device *refused(struct world *world, enum usmp_transport transport, unsigned wire,
                                               const char *id, const char *psk, const char *address)
{
    struct simulated_device *device = world_connect(world, transport, wire, id, psk, address);
    world_settle(world);
    assert_false(simulated_device_is_connected(device));
    return device;
}

/* Calls a test with each wire over each transport. */
static inline void on_all(void (*test)(enum usmp_transport transport, unsigned wire))
{
    for (unsigned wire = 1; wire <= 2; wire++) {
        test(USMP_TCP, wire);
        test(USMP_UDP, wire);
    }
}

#endif
