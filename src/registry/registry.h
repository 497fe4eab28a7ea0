/* The device registry (usmpd.yaml(5)): which keys and settings a device id has.
 *
 * A registry is a snapshot that never changes. A reload makes a new one, and whoever holds the old one goes on with it
 * until he lets go; so any thread may look things up without a lock. The last to release it wipes it.
 *
 * All PSKs are in memory that is locked as far as the limit goes; about 103 bytes a device with one key (68 of them
 * for the key), none for a device that is not listed.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/match.h"

#define REGISTRY_DEVICE_ID_SIZE 6u
#define REGISTRY_KEY_TAG_SIZE 16u
#define REGISTRY_BOOT_SECRET_SIZE 32u

struct registry;

struct registry *registry_retain(struct registry *registry);
void registry_release(struct registry *registry); /* NULL is allowed */

/* What there is to say at start and in a status: numbers, nothing secret. */
struct registry_summary {
    size_t devices; /* listed */
    size_t revoked;
    size_t keys;
    size_t weak_keys; /* text that can be guessed, see registry/key_strength.h; each was a warning */
    size_t memory;    /* bytes */
    bool has_default;
    bool has_master_secret;
    bool has_previous_master_secret;
    bool has_development_psk;
};
struct registry_summary registry_summarise(const struct registry *registry);

/* Fills `match` for a handshake of device `id` on wire 1 or 2, at `now` (wall clock, seconds since 1970 UTC). No
 * allocation, no lock; the work is the same for every id but for the walk in the table: three HMACs, three keys made
 * ready. Nothing that is sent before the device's HELLO_ACK depends on it, so it is best called when that arrives:
 * then the registry of that moment decides, and no keys lie in pending handshakes. */
void registry_lookup(const struct registry *registry, const uint8_t id[REGISTRY_DEVICE_ID_SIZE], unsigned wire,
                     int64_t now, struct registry_match *match);

/* Names the key that a session was opened with, so that later registries of this process can be asked about it. Tells
 * nothing about the key to who does not know the boot secret. */
void registry_key_tag(const struct registry *registry, const struct registry_key *key,
                      uint8_t tag[REGISTRY_KEY_TAG_SIZE]);

/* Whether a session of `id` that was opened with the key of that tag may go on (docs/security.md rule 3):
 * REGISTRY_ACCEPTED, or why not (REGISTRY_WRONG_KEY: the key is not the device's any more). Which wires a device may
 * speak is a matter of new sessions. Asked when a session is inserted, for every session after a reload, and when
 * registry_next_expiry() has come. */
enum registry_verdict registry_key_still_accepted(const struct registry *registry,
                                                  const uint8_t id[REGISTRY_DEVICE_ID_SIZE],
                                                  const uint8_t tag[REGISTRY_KEY_TAG_SIZE], int64_t now)
    __attribute__((warn_unused_result));

/* The first time after `now` at which the `until` of any key comes, or INT64_MAX. Walks all keys. */
int64_t registry_next_expiry(const struct registry *registry, int64_t now);

/* REGISTRY_WIRE_BIT of every wire that any device may speak: what is on another one can be refused unheard. */
uint8_t registry_wires(const struct registry *registry);

/* The settings of a device as they are now, for a live session after a reload. */
struct registry_settings registry_settings_of(const struct registry *registry,
                                              const uint8_t id[REGISTRY_DEVICE_ID_SIZE]);

#endif
