#include "crypto/aead.h"

#include <assert.h>
#include <sodium.h>

#include "crypto/aes.h"

_Static_assert(CRYPTO_AEAD_TAG_SIZE == crypto_aead_aes256gcm_ABYTES, "one tag size for both suites");
_Static_assert(CRYPTO_AEAD_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES, "one tag size for both suites");
_Static_assert(CRYPTO_AEAD_NONCE_SIZE == crypto_aead_aes256gcm_NPUBBYTES, "one nonce size for both suites");
_Static_assert(CRYPTO_AEAD_NONCE_SIZE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "one nonce size for both suites");

void crypto_seal(enum crypto_suite suite, const uint8_t key[CRYPTO_AEAD_KEY_SIZE],
                 const uint8_t nonce[CRYPTO_AEAD_NONCE_SIZE], const void *additional, size_t additional_size,
                 const uint8_t *plaintext, size_t size, uint8_t *out)
{
    if (suite == CRYPTO_AES_256_GCM) {
        crypto_aes_chosen()->seal(key, nonce, additional, additional_size, plaintext, size, out);
        return;
    }
    assert(suite == CRYPTO_CHACHA20_POLY1305);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plaintext, size, additional, additional_size, NULL, nonce,
                                              key);
}

enum crypto_open_verdict crypto_open(enum crypto_suite suite, const uint8_t key[CRYPTO_AEAD_KEY_SIZE],
                                     const uint8_t nonce[CRYPTO_AEAD_NONCE_SIZE], const void *additional,
                                     size_t additional_size, const uint8_t *sealed, size_t size, uint8_t *out)
{
    assert(size >= CRYPTO_AEAD_TAG_SIZE);
    if (suite == CRYPTO_AES_256_GCM)
        return crypto_aes_chosen()->open(key, nonce, additional, additional_size, sealed, size, out);

    assert(suite == CRYPTO_CHACHA20_POLY1305);
    int result = crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, size, additional, additional_size,
                                                           nonce, key);
    return result == 0 ? CRYPTO_OPENED : CRYPTO_NOT_AUTHENTIC;
}
