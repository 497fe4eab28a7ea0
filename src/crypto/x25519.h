/* X25519, RFC 7748. Private keys are any 32 random bytes; they are clamped where they are used. Needs crypto_start().
 * Thread-safe.
 */
#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#include <stdint.h>

#include "crypto/attributes.h"

#define CRYPTO_X25519_SIZE 32

enum crypto_x25519_verdict {
    CRYPTO_X25519_AGREED,
    CRYPTO_X25519_LOW_ORDER, /* the shared secret would be all zero, whatever the private key */
};

void crypto_x25519_public(const uint8_t private_key[CRYPTO_X25519_SIZE], uint8_t public_key[CRYPTO_X25519_SIZE]);

/* `shared` is written only when the verdict is CRYPTO_X25519_AGREED. */
enum crypto_x25519_verdict crypto_x25519_shared(const uint8_t private_key[CRYPTO_X25519_SIZE],
                                                const uint8_t peer_public[CRYPTO_X25519_SIZE],
                                                uint8_t shared[CRYPTO_X25519_SIZE]) CRYPTO_MUST_USE;

#endif
