/* libcrypto's AES when libcrypto fails: at start it is not started and leaves nothing behind, in the middle the
 * program stops before anything that is not encrypted could leave. */
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "crypto/aes.h"
#include "platform/child.h"

static int contexts_made;
static int contexts_to_make; /* before making one fails; negative: never */
static bool fetch_fails;
static bool update_fails;

EVP_CIPHER *__real_EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *algorithm, const char *properties);
EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *algorithm, const char *properties);
EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);
void __real_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *context);
void __wrap_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *context);
int __real_EVP_CipherUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *written, const unsigned char *in,
                            int size);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *written, const unsigned char *in,
                            int size);

EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *algorithm, const char *properties)
{
    return fetch_fails ? NULL : __real_EVP_CIPHER_fetch(library, algorithm, properties);
}

EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void)
{
    if (contexts_made == contexts_to_make)
        return NULL;
    contexts_made++;
    return __real_EVP_CIPHER_CTX_new();
}

void __wrap_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *context)
{
    if (context != NULL)
        contexts_made--;
    __real_EVP_CIPHER_CTX_free(context);
}

int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *written, const unsigned char *in,
                            int size)
{
    return update_fails ? 0 : __real_EVP_CipherUpdate(context, out, written, in, size);
}

static void test_no_algorithm(void **state)
{
    (void)state;
    contexts_to_make = -1;
    fetch_fails = true;
    assert_false(crypto_aes_libcrypto_start());
    assert_int_equal(contexts_made, 0);
    fetch_fails = false;
}

static void test_memory_short_at_each_context(void **state)
{
    (void)state;
    contexts_to_make = -1;
    assert_true(crypto_aes_libcrypto_start());
    int needed = contexts_made;
    assert_true(needed > 0);
    crypto_aes_libcrypto_stop();
    assert_int_equal(contexts_made, 0);

    for (contexts_to_make = 0; contexts_to_make < needed; contexts_to_make++) {
        assert_false(crypto_aes_libcrypto_start());
        assert_int_equal(contexts_made, 0);
    }
    assert_true(crypto_aes_libcrypto_start());
    crypto_aes_libcrypto_stop();
}

static int seal_while_libcrypto_fails(void *context)
{
    (void)context;
    static const uint8_t zeros[32];
    uint8_t out[32];
    update_fails = true;
    crypto_aes_libcrypto.seal(zeros, zeros, NULL, 0, zeros, 16, out);
    return 0;
}

static void test_a_failure_in_the_middle_stops_the_program(void **state)
{
    (void)state;
    contexts_to_make = -1;
    assert_true(crypto_aes_libcrypto_start());
    assert_int_equal(child_run(seal_while_libcrypto_fails, NULL), 128 + SIGABRT);
    crypto_aes_libcrypto_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_algorithm),
        cmocka_unit_test(test_memory_short_at_each_context),
        cmocka_unit_test(test_a_failure_in_the_middle_stops_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
