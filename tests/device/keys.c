#include "device/keys.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sodium.h>

#include "device/frame.h"

#define LABEL_SIZE 7u
#define REKEY_LABEL "usmp-rekey"
#define REKEY_LABEL_SIZE (sizeof REKEY_LABEL - 1)

static void must(bool success)
{
    if (!success)
        abort();
}

void strict_public_key(const uint8_t private_key[STRICT_KEY_SIZE], uint8_t public_key[STRICT_KEY_SIZE])
{
    must(crypto_scalarmult_base(public_key, private_key) == 0);
}

static void hmac_add(crypto_auth_hmacsha256_state *state, const uint8_t *bytes, size_t size)
{
    must(crypto_auth_hmacsha256_update(state, bytes, size) == 0);
}

void strict_handshake_hmac(const uint8_t *psk, size_t psk_size, uint8_t version, uint8_t type,
                           const struct strict_handshake_secrets *handshake, const uint8_t *id, size_t id_size,
                           uint8_t out[STRICT_HMAC_SIZE])
{
    crypto_auth_hmacsha256_state state;
    uint8_t prefix[4] = {0xcd, 0xab, version, type};
    must(crypto_auth_hmacsha256_init(&state, psk, psk_size) == 0);
    if (version > 1)
        hmac_add(&state, prefix, sizeof prefix);
    hmac_add(&state, handshake->nonce, sizeof handshake->nonce);
    hmac_add(&state, id, id_size);
    hmac_add(&state, handshake->public_key, sizeof handshake->public_key);
    hmac_add(&state, handshake->gateway_key, sizeof handshake->gateway_key);
    must(crypto_auth_hmacsha256_final(&state, out) == 0);
    strict_wipe(&state, sizeof state);
}

static void hkdf(const uint8_t *secret, size_t secret_size, const uint8_t *salt, const uint8_t *info, size_t info_size,
                 uint8_t *out, size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret, secret_size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, STRICT_KEY_SIZE),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, info_size),
        OSSL_PARAM_construct_end()};
    must(context != NULL && EVP_KDF_derive(context, out, size, parameters) == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

bool strict_session_keys_derive(uint8_t version, const struct strict_handshake_secrets *handshake,
                                struct strict_session_keys *keys)
{
    uint8_t secret[STRICT_KEY_SIZE];
    uint8_t info[LABEL_SIZE + 2 * STRICT_KEY_SIZE];
    uint8_t out[2 * STRICT_KEY_SIZE];
    size_t size = version == 1 ? STRICT_KEY_SIZE : 2 * STRICT_KEY_SIZE;
    /* libsodium's own answer to a result of zeros. */
    if (crypto_scalarmult(secret, handshake->private_key, handshake->gateway_key) != 0)
        return false;
    memcpy(info, version == 1 ? "usmp-v1" : "usmp-v2", LABEL_SIZE);
    memcpy(info + LABEL_SIZE, handshake->public_key, STRICT_KEY_SIZE);
    memcpy(info + LABEL_SIZE + STRICT_KEY_SIZE, handshake->gateway_key, STRICT_KEY_SIZE);
    hkdf(secret, sizeof secret, handshake->nonce, info, sizeof info, out, size);
    memcpy(keys->send, out, STRICT_KEY_SIZE);
    memcpy(keys->receive, out + size - STRICT_KEY_SIZE, STRICT_KEY_SIZE);
    strict_wipe(secret, sizeof secret);
    strict_wipe(out, sizeof out);
    return true;
}

void strict_session_keys_renew(struct strict_session_keys *keys, const uint8_t salt[STRICT_KEY_SIZE],
                               const uint8_t session_id[STRICT_SESSION_ID_SIZE])
{
    uint8_t info[REKEY_LABEL_SIZE + STRICT_SESSION_ID_SIZE];
    uint8_t both[2 * STRICT_KEY_SIZE];
    uint8_t out[2 * STRICT_KEY_SIZE];
    memcpy(info, REKEY_LABEL, REKEY_LABEL_SIZE);
    memcpy(info + REKEY_LABEL_SIZE, session_id, STRICT_SESSION_ID_SIZE);
    memcpy(both, keys->send, STRICT_KEY_SIZE);
    memcpy(both + STRICT_KEY_SIZE, keys->receive, STRICT_KEY_SIZE);
    hkdf(both, sizeof both, salt, info, sizeof info, out, sizeof out);
    memcpy(keys->send, out, STRICT_KEY_SIZE);
    memcpy(keys->receive, out + STRICT_KEY_SIZE, STRICT_KEY_SIZE);
    strict_wipe(both, sizeof both);
    strict_wipe(out, sizeof out);
}

static const EVP_CIPHER *suite(enum strict_cipher cipher)
{
    return cipher == STRICT_AES_256_GCM ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
}

static void make_nonce(uint32_t seq, const uint8_t *session_id, uint8_t nonce[STRICT_NONCE_SIZE])
{
    for (unsigned i = 0; i < 4; i++)
        nonce[i] = (uint8_t)(seq >> 8 * i);
    memcpy(nonce + 4, session_id, STRICT_NONCE_SIZE - 4);
}

void strict_seal(enum strict_cipher cipher, const uint8_t key[STRICT_KEY_SIZE],
                 const uint8_t session_id[STRICT_SESSION_ID_SIZE], uint32_t seq, const uint8_t *aad, size_t aad_size,
                 const uint8_t *plain, size_t size, uint8_t *sealed)
{
    int written = 0;
    uint8_t *body = sealed + STRICT_NONCE_SIZE;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    make_nonce(seq, session_id, sealed);
    must(context != NULL && EVP_EncryptInit_ex(context, suite(cipher), NULL, key, sealed) == 1 &&
         EVP_EncryptUpdate(context, NULL, &written, aad, (int)aad_size) == 1 &&
         EVP_EncryptUpdate(context, body, &written, plain, (int)size) == 1 &&
         EVP_EncryptFinal_ex(context, body + size, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, STRICT_TAG_SIZE, body + size) == 1);
    EVP_CIPHER_CTX_free(context);
}

bool strict_open(enum strict_cipher cipher, const uint8_t key[STRICT_KEY_SIZE],
                 const uint8_t session_id[STRICT_SESSION_ID_SIZE], uint32_t seq, const uint8_t *aad, size_t aad_size,
                 const uint8_t *sealed, size_t size, uint8_t *plain)
{
    uint8_t nonce[STRICT_NONCE_SIZE];
    uint8_t opened[STRICT_PAYLOAD_MAX];
    uint8_t tag[STRICT_TAG_SIZE];
    int written = 0;
    if (size < STRICT_SEALED_EXTRA || size > STRICT_PAYLOAD_MAX)
        return false;
    size_t plain_size = size - STRICT_SEALED_EXTRA;
    make_nonce(seq, session_id, nonce);
    if (memcmp(nonce, sealed, sizeof nonce) != 0)
        return false;
    memcpy(tag, sealed + size - STRICT_TAG_SIZE, sizeof tag);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    must(context != NULL && EVP_DecryptInit_ex(context, suite(cipher), NULL, key, nonce) == 1 &&
         EVP_DecryptUpdate(context, NULL, &written, aad, (int)aad_size) == 1 &&
         EVP_DecryptUpdate(context, opened, &written, sealed + STRICT_NONCE_SIZE, (int)plain_size) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, STRICT_TAG_SIZE, tag) == 1);
    bool authentic = EVP_DecryptFinal_ex(context, opened + plain_size, &written) == 1;
    EVP_CIPHER_CTX_free(context);
    if (authentic)
        memcpy(plain, opened, plain_size);
    strict_wipe(opened, sizeof opened);
    return authentic;
}

void strict_utack_mac(const uint8_t key[STRICT_KEY_SIZE], const uint8_t *utack, uint8_t out[STRICT_UTACK_MAC])
{
    uint8_t full[STRICT_HMAC_SIZE];
    must(crypto_auth_hmacsha256(full, utack, STRICT_UTACK_PLAIN, key) == 0);
    memcpy(out, full, STRICT_UTACK_MAC);
}

bool strict_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

void strict_wipe(void *bytes, size_t size)
{
    sodium_memzero(bytes, size);
}
