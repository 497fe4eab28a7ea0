#include "crypto/aes.h"

#include <sodium.h>

bool crypto_aes_sodium_is_available(void)
{
    return crypto_aead_aes256gcm_is_available() == 1;
}

static void seal(const uint8_t *key, const uint8_t *nonce, const void *additional, size_t additional_size,
                 const uint8_t *plaintext, size_t size, uint8_t *out)
{
    crypto_aead_aes256gcm_encrypt(out, NULL, plaintext, size, additional, additional_size, NULL, nonce, key);
}

static enum crypto_open_verdict open_sealed(const uint8_t *key, const uint8_t *nonce, const void *additional,
                                            size_t additional_size, const uint8_t *sealed, size_t size, uint8_t *out)
{
    int result = crypto_aead_aes256gcm_decrypt(out, NULL, NULL, sealed, size, additional, additional_size, nonce, key);
    return result == 0 ? CRYPTO_OPENED : CRYPTO_NOT_AUTHENTIC;
}

const struct crypto_aes crypto_aes_sodium = {.name = "libsodium", .seal = seal, .open = open_sealed};
