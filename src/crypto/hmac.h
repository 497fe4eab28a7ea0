/* HMAC-SHA256 (RFC 2104) whose key is kept as the two states of SHA-256 after the padded key: a short input then
 * costs two compressions. Such a state is as secret as the key; crypto_wipe() it. Needs crypto_start(). Thread-safe.
 */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/parts.h"

#define CRYPTO_HMAC_SIZE 32

struct crypto_hmac_key {
    uint32_t inner[8];
    uint32_t outer[8];
};

/* A key of any size, an empty one too; over 64 bytes it is hashed first, as the RFC says. */
void crypto_hmac_key_init(struct crypto_hmac_key *key, const void *bytes, size_t size);

void crypto_hmac(const struct crypto_hmac_key *key, const struct crypto_part *parts, size_t count,
                 uint8_t out[CRYPTO_HMAC_SIZE]);

#endif
