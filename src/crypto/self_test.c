#include "crypto/self_test.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "crypto/hkdf.h"
#include "crypto/hmac.h"

#define PATTERN_SIZE 480

/* No secret: any bytes that are not all alike. */
static void fill_pattern(uint8_t pattern[PATTERN_SIZE])
{
    for (size_t i = 0; i < PATTERN_SIZE; i++)
        pattern[i] = (uint8_t)(i * 167 + 13);
}

static bool hmac_agrees(const uint8_t *key_bytes, size_t key_size, const uint8_t *bytes, size_t size)
{
    unsigned char expected[CRYPTO_HMAC_SIZE];
    size_t expected_size = 0;
    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key_bytes, key_size, bytes, size, expected, sizeof expected,
                  &expected_size) == NULL ||
        expected_size != sizeof expected)
        return false;

    struct crypto_hmac_key key;
    uint8_t made[CRYPTO_HMAC_SIZE];
    const struct crypto_part parts[] = {{bytes, size / 2}, {bytes + size / 2, size - size / 2}};
    crypto_hmac_key_init(&key, key_bytes, key_size);
    crypto_hmac(&key, parts, 2, made);
    return memcmp(made, expected, sizeof made) == 0;
}

bool crypto_self_test_hmac(void)
{
    /* Around the block of SHA-256 and where its padding needs another one. */
    static const size_t sizes[] = {1, 7, 32, 55, 56, 63, 64, 65, 119, 120, 128, PATTERN_SIZE};
    uint8_t pattern[PATTERN_SIZE];
    fill_pattern(pattern);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (!hmac_agrees(pattern, 32, pattern, sizes[i]) || !hmac_agrees(pattern, sizes[i], pattern, 7))
            return false;
    }
    return true;
}

static bool derive_with_evp(const uint8_t *pattern, uint8_t *out, size_t size)
{
    /* OSSL_PARAM takes no pointer to const, though it only reads. */
    uint8_t input[96];
    char digest[] = "SHA256";
    memcpy(input, pattern, sizeof input);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, input, 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, input + 32, 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, input + 64, 32),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    bool derived = context != NULL && EVP_KDF_derive(context, out, size, params) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return derived;
}

bool crypto_self_test_hkdf(void)
{
    uint8_t pattern[PATTERN_SIZE];
    uint8_t expected[64];
    uint8_t made[64];
    fill_pattern(pattern);
    if (!derive_with_evp(pattern, expected, sizeof expected))
        return false;

    const struct crypto_part key_material[] = {{pattern, 20}, {pattern + 20, 12}};
    const struct crypto_part info[] = {{pattern + 64, 8}, {pattern + 72, 24}};
    crypto_hkdf(&(struct crypto_hkdf_input){key_material, 2, {pattern + 32, 32}, info, 2}, made, sizeof made);
    return memcmp(made, expected, sizeof made) == 0;
}

static bool aes_agrees(const struct crypto_aes *aes, const uint8_t *pattern, size_t size)
{
    const uint8_t *key = pattern + 1;
    const uint8_t *nonce = pattern + 40;
    uint8_t expected[PATTERN_SIZE + CRYPTO_AEAD_TAG_SIZE];
    uint8_t made[PATTERN_SIZE + CRYPTO_AEAD_TAG_SIZE];
    uint8_t opened[PATTERN_SIZE];
    size_t sealed_size = size + CRYPTO_AEAD_TAG_SIZE;

    crypto_aes_libcrypto.seal(key, nonce, pattern, 10, pattern, size, expected);
    aes->seal(key, nonce, pattern, 10, pattern, size, made);
    if (memcmp(made, expected, sealed_size) != 0)
        return false;
    if (aes->open(key, nonce, pattern, 10, made, sealed_size, opened) != CRYPTO_OPENED ||
        memcmp(opened, pattern, size) != 0)
        return false;
    made[sealed_size - 1] ^= 1;
    return aes->open(key, nonce, pattern, 10, made, sealed_size, opened) == CRYPTO_NOT_AUTHENTIC;
}

bool crypto_self_test_aes(const struct crypto_aes *aes)
{
    static const size_t sizes[] = {0, 1, 16, 17, 64, 127, 452};
    uint8_t pattern[PATTERN_SIZE];
    fill_pattern(pattern);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (!aes_agrees(aes, pattern, sizes[i]))
            return false;
    }
    return true;
}
