/* The keys of a session: docs/protocol.md section 2 (derivation) and section 3 (REKEY). The owner wipes them. */
#ifndef USMP_KEYS_H
#define USMP_KEYS_H

#include <stdint.h>

#include <usmp/transcript.h>
#include <usmp/wire.h>

/* On wire 1 both are the one key of the session. */
struct usmp_keys {
    uint8_t device_to_gateway[USMP_KEY_SIZE];
    uint8_t gateway_to_device[USMP_KEY_SIZE];
};

enum usmp_keys_verdict {
    USMP_KEYS_DERIVED,
    USMP_KEYS_REFUSED, /* the peer's public key gives an all-zero shared secret */
};

/* The public key that belongs to a private key (any 32 random bytes). */
void usmp_public_key(const uint8_t private_key[USMP_PRIVATE_KEY_SIZE], uint8_t public_key[USMP_PUBLIC_KEY_SIZE]);

/* Derives a session's keys on the side of `role`, whose private key is given; the peer's public key is taken from the
 * transcript. `keys` is set with USMP_KEYS_DERIVED only. A private key belongs to one call, whatever its verdict
 * (docs/security.md rule 6). */
enum usmp_keys_verdict usmp_keys_derive(enum usmp_role role, const uint8_t private_key[USMP_PRIVATE_KEY_SIZE],
                                        const struct usmp_transcript *transcript, struct usmp_keys *keys) USMP_MUST_USE;

/* The keys after a REKEY that `sender` sent with `salt`. `next` may be `keys` itself. Wire 2 only. */
void usmp_keys_rekey(const struct usmp_keys *keys, enum usmp_role sender,
                     const uint8_t session_id[USMP_SESSION_ID_SIZE], const uint8_t salt[USMP_REKEY_SALT_SIZE],
                     struct usmp_keys *next);

void usmp_keys_wipe(struct usmp_keys *keys);

#endif
