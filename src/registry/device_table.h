/* The listed devices of a snapshot: found by id in constant time, in as little memory as that takes.
 *
 * An open-addressing table of numbers over an array of entries. It is keyed (docs/security.md rule 25): ids come from
 * strangers, and nobody shall be able to send those for which a look-up walks far.
 *
 * Owner: the struct is its user's; devices hold no secrets. Not thread-safe while devices are added.
 */
#ifndef REGISTRY_DEVICE_TABLE_H
#define REGISTRY_DEVICE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/siphash.h"
#include "registry/key_strength.h"

#define REGISTRY_KEYS_PER_DEVICE 4u

struct registry_device {
    uint8_t id[REGISTRY_ID_SIZE];
    uint16_t max_downlink;    /* bytes; 0 = not given */
    uint64_t session_timeout; /* microseconds, or REGISTRY_SESSION_TIMEOUT_GLOBAL */
    uint32_t first_key;       /* in the snapshot's keys */
    unsigned key_count : 3;   /* up to REGISTRY_KEYS_PER_DEVICE */
    unsigned revoked : 1;
    unsigned wires : 2;       /* REGISTRY_WIRE_BIT; 0 = not given */
    unsigned v1_downlink : 2; /* enum registry_v1_downlink */
    unsigned cipher : 2;      /* enum registry_cipher */
};

struct registry_device_table {
    uint8_t hash_key[CRYPTO_SIPHASH_KEY_SIZE];
    struct registry_device *devices;
    uint32_t *slots; /* number of a device, counted from 1; 0 = free */
    uint32_t slot_mask;
    uint32_t count;
    uint32_t capacity;
};

/* For up to `capacity` devices, at most 2^30. False when memory is short; the struct can be closed then, too. */
bool registry_device_table_open(struct registry_device_table *table, uint32_t capacity,
                                const uint8_t hash_key[CRYPTO_SIPHASH_KEY_SIZE]) __attribute__((warn_unused_result));
void registry_device_table_close(struct registry_device_table *table);

/* NULL when the device is not listed. */
const struct registry_device *registry_device_table_find(const struct registry_device_table *table,
                                                         const uint8_t id[REGISTRY_ID_SIZE]);

/* Adds a device that is not listed yet, at most `capacity` of them: all zero but for its id and session_timeout, which
 * is the global one. */
struct registry_device *registry_device_table_add(struct registry_device_table *table,
                                                  const uint8_t id[REGISTRY_ID_SIZE]);

size_t registry_device_table_memory(const struct registry_device_table *table);

#endif
