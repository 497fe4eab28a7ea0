#include "registry/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/memory.h"
#include "platform/secret_memory.h"
#include "registry/snapshot.h"

/* One secret a use: none of them tells anything about another. */
static void derive_secret(const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE], const char *use,
                          uint8_t out[CRYPTO_HMAC_SIZE])
{
    struct crypto_hmac_key key;
    crypto_hmac_key_init(&key, boot_secret, REGISTRY_BOOT_SECRET_SIZE);
    crypto_hmac(&key, &(struct crypto_part){.bytes = use, .size = strlen(use)}, 1, out);
    crypto_wipe(&key, sizeof(key));
}

static void derive_key(const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE], const char *use,
                       struct crypto_hmac_key *key)
{
    uint8_t secret[CRYPTO_HMAC_SIZE] CRYPTO_WIPED_32;
    derive_secret(boot_secret, use, secret);
    crypto_hmac_key_init(key, secret, sizeof(secret));
}

struct registry *registry_create(uint32_t devices, uint32_t keys, const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE],
                                 uint8_t wires)
{
    struct registry *registry = calloc(1, sizeof(*registry));
    if (registry == NULL) {
        return NULL;
    }
    atomic_init(&registry->references, 1);
    registry->wires = wires;
    uint8_t hash_key[CRYPTO_HMAC_SIZE] CRYPTO_WIPED_32;
    derive_secret(boot_secret, "registry table", hash_key);
    registry->secrets = secret_memory_allocate(sizeof(*registry->secrets), SECRET_MEMORY_KEYS);
    bool complete = registry->secrets != NULL;
    complete = registry_device_table_open(&registry->devices, devices, hash_key) && complete;
    complete = registry_keys_open(&registry->keys, keys) && complete;
    if (!complete) {
        registry_release(registry);
        return NULL;
    }
    derive_key(boot_secret, "registry dummy", &registry->secrets->dummy);
    derive_key(boot_secret, "registry tag", &registry->secrets->tag);
    return registry;
}

struct registry *registry_retain(struct registry *registry)
{
    size_t before = atomic_fetch_add_explicit(&registry->references, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
    return registry;
}

void registry_release(struct registry *registry)
{
    if (registry == NULL) {
        return;
    }
    size_t before = atomic_fetch_sub_explicit(&registry->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1) {
        return;
    }
    registry_keys_close(&registry->keys);
    registry_device_table_close(&registry->devices);
    secret_memory_free(registry->secrets);
    crypto_wipe(registry, sizeof(*registry));
    free(registry);
}

struct registry_summary registry_summarise(const struct registry *registry)
{
    return (struct registry_summary){
        .devices = registry->devices.count,
        .revoked = registry->revoked,
        .keys = registry->keys.count,
        .weak_keys = registry->weak_keys,
        .memory = sizeof(*registry) + sizeof(*registry->secrets) + registry_keys_memory(&registry->keys) +
                  registry_device_table_memory(&registry->devices),
        .has_default = registry->has_default,
        .has_master_secret = registry->has_master[REGISTRY_MASTER_CURRENT],
        .has_previous_master_secret = registry->has_master[REGISTRY_MASTER_PREVIOUS],
        .has_development_psk = registry->has_development_psk,
    };
}
