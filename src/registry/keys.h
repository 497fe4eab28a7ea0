/* The PSKs of a snapshot, one behind the other, in secret memory.
 *
 * What is kept of a PSK is what HMAC-SHA256 makes of it, 64 bytes whatever its length: then no lookup has to hash a
 * key first, and the time it takes does not tell how long the key is. It is as secret as the PSK itself.
 *
 * Memory comes in blocks, because a piece of secret memory is locked whole or not at all and the limit on locked memory
 * may lie anywhere in the middle. A key costs 64 bytes of secret memory and 4 of other memory.
 *
 * Owner: the struct is its user's; registry_keys_close wipes and frees. Not thread-safe while keys are added.
 */
#ifndef REGISTRY_KEYS_H
#define REGISTRY_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/hmac.h"

#define REGISTRY_KEYS_PER_BLOCK 1008u /* with the allocator's own share just under 64 KiB */

#define REGISTRY_NO_EXPIRY INT32_MAX

struct registry_key_block;

struct registry_keys {
    struct registry_key_block **blocks;
    int32_t *until; /* days since 1970 (registry/date.h), or REGISTRY_NO_EXPIRY */
    uint32_t count;
    uint32_t capacity;
};

/* For up to `capacity` keys. False when memory is short; the struct can be closed then, too. */
bool registry_keys_open(struct registry_keys *keys, uint32_t capacity) __attribute__((warn_unused_result));
void registry_keys_close(struct registry_keys *keys);

/* Adds a PSK behind the others, at most `capacity` of them. False when memory is short. */
bool registry_keys_add(struct registry_keys *keys, const uint8_t *psk, size_t size, int32_t until)
    __attribute__((warn_unused_result));

/* `index` counts from 0 in the order of addition. */
const struct crypto_hmac_key *registry_keys_get(const struct registry_keys *keys, uint32_t index);

/* Moves every block to new memory: what could not be locked while other secrets took the limit may be lockable now.
 * Stops where memory is short, with all keys in place. */
void registry_keys_relocate(struct registry_keys *keys);

/* Bytes in use, of both kinds of memory. */
size_t registry_keys_memory(const struct registry_keys *keys);

#endif
