/* Authenticated encryption with a 32-byte key and a 12-byte nonce.
 *
 * Only keys are kept by callers, never expanded contexts: expanding one per message costs less than the cache misses
 * of many kept ones. Nothing of a key stays behind after a call. Needs crypto_start(). Thread-safe.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/attributes.h"

#define CRYPTO_AEAD_KEY_SIZE 32
#define CRYPTO_AEAD_NONCE_SIZE 12
#define CRYPTO_AEAD_TAG_SIZE 16

enum crypto_suite {
    CRYPTO_AES_256_GCM,
    CRYPTO_CHACHA20_POLY1305, /* the IETF construction, RFC 8439 */
};

enum crypto_open_verdict {
    CRYPTO_OPENED,
    CRYPTO_NOT_AUTHENTIC,
};

/* Writes `size` bytes of ciphertext and CRYPTO_AEAD_TAG_SIZE bytes of tag to `out`. `out` may be `plaintext` itself;
 * they must not overlap in another way. A nonce must never be used twice with one key. */
void crypto_seal(enum crypto_suite suite, const uint8_t key[CRYPTO_AEAD_KEY_SIZE],
                 const uint8_t nonce[CRYPTO_AEAD_NONCE_SIZE], const void *additional, size_t additional_size,
                 const uint8_t *plaintext, size_t size, uint8_t *out);

/* Opens `size` bytes of ciphertext and tag, `size` being at least CRYPTO_AEAD_TAG_SIZE, and writes the size −
 * CRYPTO_AEAD_TAG_SIZE bytes of plaintext to `out`. `out` may be `sealed` itself. What is not authentic leaves only
 * zeros in `out`: who wants to try another suite opens into another buffer. */
enum crypto_open_verdict crypto_open(enum crypto_suite suite, const uint8_t key[CRYPTO_AEAD_KEY_SIZE],
                                     const uint8_t nonce[CRYPTO_AEAD_NONCE_SIZE], const void *additional,
                                     size_t additional_size, const uint8_t *sealed, size_t size,
                                     uint8_t *out) CRYPTO_MUST_USE;

#endif
