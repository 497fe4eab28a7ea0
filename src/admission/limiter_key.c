#include "admission/limiter_key.h"

#include <string.h>

_Static_assert(sizeof(struct address_prefix) + LIMITER_DEVICE_SIZE < LIMITER_KEY_SIZE,
               "one byte is left to tell a device from none");

static struct limiter_key key_of_network(const struct address_prefix *network)
{
    struct limiter_key key = {{0}};
    memcpy(key.bytes, network, sizeof *network);
    return key;
}

struct limiter_networks limiter_networks_of(const struct address *peer)
{
    struct address_prefix host = address_prefix_host(peer);
    struct address_prefix site = address_prefix_site(peer);
    return (struct limiter_networks){
        .keys = {key_of_network(&host), key_of_network(&site)},
        .count = address_prefix_equal(&host, &site) ? 1 : 2,
    };
}

struct limiter_key limiter_key_of_device(const uint8_t device[LIMITER_DEVICE_SIZE])
{
    static const struct limiter_key nowhere;
    return limiter_key_of_device_in(&nowhere, device);
}

struct limiter_key limiter_key_of_device_in(const struct limiter_key *network,
                                            const uint8_t device[LIMITER_DEVICE_SIZE])
{
    struct limiter_key key = *network;
    memcpy(key.bytes + sizeof(struct address_prefix), device, LIMITER_DEVICE_SIZE);
    key.bytes[LIMITER_KEY_SIZE - 1] = 1;
    return key;
}
