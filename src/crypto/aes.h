/* AES-256-GCM behind one table, so that the choice is made once and tests reach both. Internal to this room: others
 * use crypto/aead.h, whose contract these functions keep.
 */
#ifndef CRYPTO_AES_H
#define CRYPTO_AES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/aead.h"

struct crypto_aes {
    const char *name;
    void (*seal)(const uint8_t *key, const uint8_t *nonce, const void *additional, size_t additional_size,
                 const uint8_t *plaintext, size_t size, uint8_t *out);
    enum crypto_open_verdict (*open)(const uint8_t *key, const uint8_t *nonce, const void *additional,
                                     size_t additional_size, const uint8_t *sealed, size_t size, uint8_t *out);
};

/* Only where crypto_aes_sodium_is_available(): libsodium 1.0.18 has AES for CPUs with AES-NI and PCLMUL. */
extern const struct crypto_aes crypto_aes_sodium;
bool crypto_aes_sodium_is_available(void) CRYPTO_MUST_USE;

/* Everywhere, after crypto_aes_libcrypto_start() has made its contexts; false when they cannot be had. That must not
 * be called twice, but crypto_aes_libcrypto_stop() allows for another start: a failed one leaves nothing behind. */
extern const struct crypto_aes crypto_aes_libcrypto;
bool crypto_aes_libcrypto_start(void) CRYPTO_MUST_USE;
void crypto_aes_libcrypto_stop(void);

/* What crypto_start() has chosen. */
const struct crypto_aes *crypto_aes_chosen(void);

#endif
