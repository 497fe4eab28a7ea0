#include <assert.h>
#include <string.h>

#include "crypto/memory.h"
#include "registry/date.h"
#include "registry/registry.h"
#include "registry/snapshot.h"

#define DERIVED_DUMMY ((size_t)REGISTRY_MASTERS)
#define DERIVED_KEYS (DERIVED_DUMMY + 1)

_Static_assert(sizeof(struct registry_key) == sizeof(struct crypto_hmac_key), "both are HMAC's two states");
_Static_assert(REGISTRY_KEYS_PER_DEVICE <= REGISTRY_CANDIDATES, "every key of an entry is a candidate");
_Static_assert(REGISTRY_DEVICE_ID_SIZE == REGISTRY_ID_SIZE, "one size of ids");

/* Keys that an id could have, before it is asked whether they count. */
struct candidate {
    const struct crypto_hmac_key *key;
    bool expired;
};

struct candidates {
    struct candidate list[REGISTRY_CANDIDATES];
    size_t count;
    bool from_default;
};

/* A PSK is 32 bytes of HMAC-SHA256 over the raw id (usmpd.yaml(5), psk.master_secret). */
static void derive_psk(const struct crypto_hmac_key *secret, const uint8_t id[REGISTRY_ID_SIZE],
                       struct crypto_hmac_key *key)
{
    uint8_t psk[CRYPTO_HMAC_SIZE] CRYPTO_WIPED_32;
    crypto_hmac(secret, &(struct crypto_part){.bytes = id, .size = REGISTRY_ID_SIZE}, 1, psk);
    crypto_hmac_key_init(key, psk, sizeof(psk));
}

/* All of them always, whether they are asked for or not: the time shall not tell who is listed. */
static void derive_all(const struct registry *registry, const uint8_t id[REGISTRY_ID_SIZE],
                       struct crypto_hmac_key derived[DERIVED_KEYS])
{
    const struct registry_secrets *secrets = registry->secrets;
    for (size_t i = 0; i < REGISTRY_MASTERS; i++) {
        derive_psk(registry->has_master[i] ? &secrets->masters[i] : &secrets->dummy, id, &derived[i]);
    }
    derive_psk(&secrets->dummy, id, &derived[DERIVED_DUMMY]);
}

static bool has_expired(int32_t until, int64_t now)
{
    return until != REGISTRY_NO_EXPIRY && now >= (int64_t)until * REGISTRY_SECONDS_PER_DAY;
}

static void add_candidate(struct candidates *candidates, const struct crypto_hmac_key *key, bool expired)
{
    assert(candidates->count < REGISTRY_CANDIDATES);
    candidates->list[candidates->count] = (struct candidate){.key = key, .expired = expired};
    candidates->count++;
}

/* The order of usmpd.yaml(5): an entry with keys or a revoked one stands for itself (docs/security.md rule 2),
 * everybody else has the key of `default`, or those of the master secrets. */
static struct candidates find_candidates(const struct registry *registry, const struct registry_device *device,
                                         const struct crypto_hmac_key derived[DERIVED_KEYS], int64_t now)
{
    struct candidates candidates = {.count = 0};
    if (device != NULL && (device->key_count > 0 || device->revoked)) {
        for (uint32_t i = device->first_key; i < device->first_key + device->key_count; i++) {
            add_candidate(&candidates, registry_keys_get(&registry->keys, i),
                          has_expired(registry->keys.until[i], now));
        }
    } else if (registry->has_default) {
        add_candidate(&candidates, &registry->secrets->default_psk, false);
        candidates.from_default = true;
    } else {
        for (size_t i = 0; i < REGISTRY_MASTERS; i++) {
            if (registry->has_master[i]) {
                add_candidate(&candidates, &derived[i], false);
            }
        }
    }
    return candidates;
}

static bool any_accepted(const struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        if (!candidates->list[i].expired) {
            return true;
        }
    }
    return false;
}

static enum registry_verdict judge(const struct registry_device *device, const struct candidates *candidates)
{
    if (device != NULL && device->revoked) {
        return REGISTRY_REVOKED;
    }
    if (candidates->count == 0) {
        return REGISTRY_UNKNOWN;
    }
    return any_accepted(candidates) ? REGISTRY_ACCEPTED : REGISTRY_EXPIRED;
}

static struct registry_settings settings_of(const struct registry *registry, const struct registry_device *device)
{
    static const struct registry_device without_settings = {.session_timeout = REGISTRY_SESSION_TIMEOUT_GLOBAL};
    const struct registry_device *source = device != NULL ? device : &without_settings;
    return (struct registry_settings){
        .session_timeout = source->session_timeout,
        .max_downlink = source->max_downlink != 0 ? source->max_downlink : REGISTRY_MAX_DOWNLINK,
        .wires = source->wires != 0 ? (uint8_t)source->wires : registry->wires,
        .v1_downlink = (enum registry_v1_downlink)source->v1_downlink,
        .cipher = (enum registry_cipher)source->cipher,
    };
}

uint8_t registry_wires(const struct registry *registry)
{
    return registry->wires | registry->entry_wires;
}

struct registry_settings registry_settings_of(const struct registry *registry,
                                              const uint8_t id[REGISTRY_DEVICE_ID_SIZE])
{
    return settings_of(registry, registry_device_table_find(&registry->devices, id));
}

void registry_lookup(const struct registry *registry, const uint8_t id[REGISTRY_DEVICE_ID_SIZE], unsigned wire,
                     int64_t now, struct registry_match *match)
{
    assert(wire == 1 || wire == 2);
    struct crypto_hmac_key derived[DERIVED_KEYS];
    derive_all(registry, id, derived);
    const struct registry_device *device = registry_device_table_find(&registry->devices, id);
    struct candidates candidates = find_candidates(registry, device, derived, now);

    memset(match, 0, sizeof(*match));
    match->settings = settings_of(registry, device);
    match->uses_default = candidates.from_default;
    match->verdict = judge(device, &candidates);
    if (match->verdict == REGISTRY_ACCEPTED && (match->settings.wires & REGISTRY_WIRE_BIT(wire)) == 0) {
        match->verdict = REGISTRY_WRONG_WIRE;
    }
    for (size_t i = 0; i < REGISTRY_CANDIDATES; i++) {
        bool real = i < candidates.count;
        memcpy(&match->keys[i], real ? candidates.list[i].key : &derived[DERIVED_DUMMY], sizeof(match->keys[i]));
        match->accepted_if_matched[i] = real && !candidates.list[i].expired && match->verdict == REGISTRY_ACCEPTED;
    }
    crypto_wipe(derived, sizeof(derived));
}

void registry_key_tag(const struct registry *registry, const struct registry_key *key,
                      uint8_t tag[REGISTRY_KEY_TAG_SIZE])
{
    uint8_t whole[CRYPTO_HMAC_SIZE] CRYPTO_WIPED_32;
    crypto_hmac(&registry->secrets->tag, &(struct crypto_part){.bytes = key, .size = sizeof(*key)}, 1, whole);
    memcpy(tag, whole, REGISTRY_KEY_TAG_SIZE);
}

enum registry_verdict registry_key_still_accepted(const struct registry *registry,
                                                  const uint8_t id[REGISTRY_DEVICE_ID_SIZE],
                                                  const uint8_t tag[REGISTRY_KEY_TAG_SIZE], int64_t now)
{
    struct crypto_hmac_key derived[DERIVED_KEYS];
    derive_all(registry, id, derived);
    const struct registry_device *device = registry_device_table_find(&registry->devices, id);
    struct candidates candidates = find_candidates(registry, device, derived, now);
    enum registry_verdict verdict = judge(device, &candidates);
    if (verdict != REGISTRY_REVOKED && verdict != REGISTRY_UNKNOWN) {
        verdict = REGISTRY_WRONG_KEY;
        for (size_t i = 0; i < candidates.count; i++) {
            struct registry_key key;
            uint8_t other[REGISTRY_KEY_TAG_SIZE];
            memcpy(&key, candidates.list[i].key, sizeof(key));
            registry_key_tag(registry, &key, other);
            crypto_wipe(&key, sizeof(key));
            if (crypto_equal(other, tag, REGISTRY_KEY_TAG_SIZE) && verdict != REGISTRY_ACCEPTED) {
                verdict = candidates.list[i].expired ? REGISTRY_EXPIRED : REGISTRY_ACCEPTED;
            }
        }
    }
    crypto_wipe(derived, sizeof(derived));
    return verdict;
}

int64_t registry_next_expiry(const struct registry *registry, int64_t now)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < registry->keys.count; i++) {
        int64_t until = (int64_t)registry->keys.until[i] * REGISTRY_SECONDS_PER_DAY;
        if (registry->keys.until[i] != REGISTRY_NO_EXPIRY && until > now && until < next) {
            next = until;
        }
    }
    return next;
}
