/* HKDF-SHA256, RFC 5869. Needs crypto_start(). Thread-safe. */
#ifndef CRYPTO_HKDF_H
#define CRYPTO_HKDF_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/parts.h"

/* What the RFC allows. */
#define CRYPTO_HKDF_MAX (255 * 32)
/* Room for the parts of an info; more is a mistake of the caller. */
#define CRYPTO_HKDF_INFO_PARTS 6

struct crypto_hkdf_input {
    const struct crypto_part *key_material; /* secret */
    size_t key_material_count;
    struct crypto_part salt;
    const struct crypto_part *info;
    size_t info_count; /* at most CRYPTO_HKDF_INFO_PARTS */
};

/* Writes `size` bytes, 1 to CRYPTO_HKDF_MAX. */
void crypto_hkdf(const struct crypto_hkdf_input *input, uint8_t *out, size_t size);

#endif
