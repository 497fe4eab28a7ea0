/* What is counted: a network, a device, or a device in a network (docs/security.md rules 7, 14, 18). */
#ifndef ADMISSION_LIMITER_KEY_H
#define ADMISSION_LIMITER_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"
#include "platform/address_prefix.h"

#define LIMITER_KEY_SIZE 24u
#define LIMITER_DEVICE_SIZE 6u

struct limiter_key {
    uint8_t bytes[LIMITER_KEY_SIZE]; /* compared and hashed as they are; what is not there is zero */
};

/* The networks that an address counts for, the narrow one first. */
struct limiter_networks {
    struct limiter_key keys[2];
    size_t count; /* IPv4: 1, the address; IPv6: 2, its /64 and its /48 */
};

struct limiter_networks limiter_networks_of(const struct address *peer);

struct limiter_key limiter_key_of_device(const uint8_t device[LIMITER_DEVICE_SIZE]);
struct limiter_key limiter_key_of_device_in(const struct limiter_key *network,
                                            const uint8_t device[LIMITER_DEVICE_SIZE]);

#endif
