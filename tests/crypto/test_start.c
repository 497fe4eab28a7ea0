/* The choice at start, and what spoils it. A process starts once; so each case has a process of its own. */
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/aead.h"
#include "crypto/start.h"
#include "platform/child.h"

/* What is made to go wrong. */
enum spoiler {
    NOTHING,
    SODIUM_INIT,
    MEMORY,
    HMAC_UNAVAILABLE,
    HMAC_DIFFERS,
    HKDF_UNAVAILABLE,
    HKDF_DIFFERS,
    AES_DIFFERS,
    NO_AES_IN_CPU,
};

static enum spoiler spoiled;

int __real_sodium_init(void);
int __wrap_sodium_init(void);
EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);
unsigned char *__real_EVP_Q_mac(OSSL_LIB_CTX *library, const char *name, const char *properties, const char *algorithm,
                                const OSSL_PARAM *params, const void *key, size_t key_size, const unsigned char *data,
                                size_t size, unsigned char *out, size_t room, size_t *out_size);
unsigned char *__wrap_EVP_Q_mac(OSSL_LIB_CTX *library, const char *name, const char *properties, const char *algorithm,
                                const OSSL_PARAM *params, const void *key, size_t key_size, const unsigned char *data,
                                size_t size, unsigned char *out, size_t room, size_t *out_size);
int __real_EVP_KDF_derive(EVP_KDF_CTX *context, unsigned char *out, size_t size, const OSSL_PARAM params[]);
int __wrap_EVP_KDF_derive(EVP_KDF_CTX *context, unsigned char *out, size_t size, const OSSL_PARAM params[]);
int __real_crypto_aead_aes256gcm_is_available(void);
int __wrap_crypto_aead_aes256gcm_is_available(void);
int __real_crypto_aead_aes256gcm_encrypt(unsigned char *out, unsigned long long *out_size, const unsigned char *in,
                                         unsigned long long size, const unsigned char *additional,
                                         unsigned long long additional_size, const unsigned char *secret_nonce,
                                         const unsigned char *nonce, const unsigned char *key);
int __wrap_crypto_aead_aes256gcm_encrypt(unsigned char *out, unsigned long long *out_size, const unsigned char *in,
                                         unsigned long long size, const unsigned char *additional,
                                         unsigned long long additional_size, const unsigned char *secret_nonce,
                                         const unsigned char *nonce, const unsigned char *key);

int __wrap_sodium_init(void)
{
    return spoiled == SODIUM_INIT ? -1 : __real_sodium_init();
}

EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void)
{
    return spoiled == MEMORY ? NULL : __real_EVP_CIPHER_CTX_new();
}

unsigned char *__wrap_EVP_Q_mac(OSSL_LIB_CTX *library, const char *name, const char *properties, const char *algorithm,
                                const OSSL_PARAM *params, const void *key, size_t key_size, const unsigned char *data,
                                size_t size, unsigned char *out, size_t room, size_t *out_size)
{
    if (spoiled == HMAC_UNAVAILABLE)
        return NULL;
    unsigned char *made =
        __real_EVP_Q_mac(library, name, properties, algorithm, params, key, key_size, data, size, out, room, out_size);
    if (spoiled == HMAC_DIFFERS)
        out[31] ^= 1;
    return made;
}

int __wrap_EVP_KDF_derive(EVP_KDF_CTX *context, unsigned char *out, size_t size, const OSSL_PARAM params[])
{
    if (spoiled == HKDF_UNAVAILABLE)
        return 0;
    int result = __real_EVP_KDF_derive(context, out, size, params);
    if (spoiled == HKDF_DIFFERS)
        out[size - 1] ^= 1;
    return result;
}

int __wrap_crypto_aead_aes256gcm_is_available(void)
{
    return spoiled == NO_AES_IN_CPU ? 0 : __real_crypto_aead_aes256gcm_is_available();
}

int __wrap_crypto_aead_aes256gcm_encrypt(unsigned char *out, unsigned long long *out_size, const unsigned char *in,
                                         unsigned long long size, const unsigned char *additional,
                                         unsigned long long additional_size, const unsigned char *secret_nonce,
                                         const unsigned char *nonce, const unsigned char *key)
{
    int result = __real_crypto_aead_aes256gcm_encrypt(out, out_size, in, size, additional, additional_size,
                                                      secret_nonce, nonce, key);
    if (spoiled == AES_DIFFERS)
        out[0] ^= 1;
    return result;
}

static int start_spoiled(void *context)
{
    spoiled = *(enum spoiler *)context;
    int first = (int)crypto_start();
    spoiled = NOTHING;
    /* What the first call found stays. */
    return (int)crypto_start() == first ? first : 99;
}

static int start_with(enum spoiler spoiler)
{
    return child_run(start_spoiled, &spoiler);
}

static void test_all_is_well(void **state)
{
    (void)state;
    assert_int_equal(start_with(NOTHING), CRYPTO_STARTED);
}

static void test_no_libsodium(void **state)
{
    (void)state;
    assert_int_equal(start_with(SODIUM_INIT), CRYPTO_NO_LIBSODIUM);
}

static void test_memory_short(void **state)
{
    (void)state;
    assert_int_equal(start_with(MEMORY), CRYPTO_NO_LIBCRYPTO);
}

static void test_what_differs_from_evp_is_not_used(void **state)
{
    (void)state;
    assert_int_equal(start_with(HMAC_UNAVAILABLE), CRYPTO_SELF_TEST_FAILED);
    assert_int_equal(start_with(HMAC_DIFFERS), CRYPTO_SELF_TEST_FAILED);
    assert_int_equal(start_with(HKDF_UNAVAILABLE), CRYPTO_SELF_TEST_FAILED);
    assert_int_equal(start_with(HKDF_DIFFERS), CRYPTO_SELF_TEST_FAILED);
    /* Only with a CPU that has AES is libsodium asked for it. */
    assert_true(__real_sodium_init() >= 0);
    bool uses_sodium = __real_crypto_aead_aes256gcm_is_available() == 1;
    assert_int_equal(start_with(AES_DIFFERS), uses_sodium ? CRYPTO_SELF_TEST_FAILED : CRYPTO_STARTED);
}

/* McGrew and Viega, test case 14: the interface works with what was chosen. */
static int start_without_aes_in_the_cpu(void *context)
{
    (void)context;
    static const uint8_t zeros[32];
    static const uint8_t ciphertext[] = {0xCE, 0xA7, 0x40, 0x3D, 0x4D, 0x60, 0x6B, 0x6E,
                                         0x07, 0x4E, 0xC5, 0xD3, 0xBA, 0xF3, 0x9D, 0x18};
    uint8_t out[32];
    spoiled = NO_AES_IN_CPU;
    if (crypto_start() != CRYPTO_STARTED || strcmp(crypto_aes_name(), "libcrypto") != 0)
        return 1;
    crypto_seal(CRYPTO_AES_256_GCM, zeros, zeros, NULL, 0, zeros, 16, out);
    if (memcmp(out, ciphertext, sizeof ciphertext) != 0)
        return 2;
    if (crypto_open(CRYPTO_AES_256_GCM, zeros, zeros, NULL, 0, out, sizeof out, out) != CRYPTO_OPENED)
        return 3;
    return 0;
}

static void test_a_cpu_without_aes(void **state)
{
    (void)state;
    assert_int_equal(child_run(start_without_aes_in_the_cpu, NULL), 0);
}

static void *start_in_thread(void *result)
{
    *(enum crypto_start_result *)result = crypto_start();
    return NULL;
}

static void test_many_threads_start(void **state)
{
    (void)state;
    pthread_t threads[8];
    enum crypto_start_result results[8];
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start_in_thread, &results[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(results[i], CRYPTO_STARTED);
    }
    assert_string_equal(crypto_aes_name(),
                        __real_crypto_aead_aes256gcm_is_available() == 1 ? "libsodium" : "libcrypto");
}

static void test_results_have_words(void **state)
{
    (void)state;
    assert_non_null(strstr(crypto_start_explain(CRYPTO_STARTED), "started"));
    assert_non_null(strstr(crypto_start_explain(CRYPTO_NO_LIBSODIUM), "libsodium"));
    assert_non_null(strstr(crypto_start_explain(CRYPTO_NO_LIBCRYPTO), "libcrypto"));
    assert_non_null(strstr(crypto_start_explain(CRYPTO_SELF_TEST_FAILED), "self-test"));
    assert_string_equal(crypto_start_explain((enum crypto_start_result)99), "unknown");
}

int main(void)
{
    /* The threads come last: they start this process itself. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_well),        cmocka_unit_test(test_no_libsodium),
        cmocka_unit_test(test_memory_short),       cmocka_unit_test(test_what_differs_from_evp_is_not_used),
        cmocka_unit_test(test_a_cpu_without_aes),  cmocka_unit_test(test_results_have_words),
        cmocka_unit_test(test_many_threads_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
