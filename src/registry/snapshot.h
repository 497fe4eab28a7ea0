/* What a registry consists of: for registry.c, lookup.c and load.c only. */
#ifndef REGISTRY_SNAPSHOT_H
#define REGISTRY_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/hmac.h"
#include "registry/device_table.h"
#include "registry/keys.h"
#include "registry/registry.h"

enum registry_master {
    REGISTRY_MASTER_CURRENT,
    REGISTRY_MASTER_PREVIOUS,
    REGISTRY_MASTERS,
};

/* In secret memory. */
struct registry_secrets {
    struct crypto_hmac_key masters[REGISTRY_MASTERS];
    struct crypto_hmac_key dummy; /* makes the dummy PSK of an id */
    struct crypto_hmac_key tag;   /* makes the tag of a key */
    struct crypto_hmac_key default_psk;
};

struct registry {
    atomic_size_t references;
    struct registry_device_table devices;
    struct registry_keys keys;
    struct registry_secrets *secrets;
    bool has_master[REGISTRY_MASTERS];
    bool has_default;
    bool has_development_psk;
    uint8_t wires;       /* of a device whose entry says nothing: wire.versions */
    uint8_t entry_wires; /* of all entries that say something */
    size_t revoked;
    size_t weak_keys;
};

/* With one reference, which is the caller's, for so many devices and keys; without either default or master secret.
 * NULL when memory is short. */
struct registry *registry_create(uint32_t devices, uint32_t keys, const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE],
                                 uint8_t wires) __attribute__((warn_unused_result));

#endif
