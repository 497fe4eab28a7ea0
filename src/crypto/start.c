#include "crypto/start.h"

#include <pthread.h>
#include <sodium.h>

#include "crypto/aes.h"
#include "crypto/self_test.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum crypto_start_result result;
static const struct crypto_aes *chosen_aes;

static enum crypto_start_result choose(void)
{
    if (sodium_init() < 0)
        return CRYPTO_NO_LIBSODIUM;
    if (!crypto_aes_libcrypto_start())
        return CRYPTO_NO_LIBCRYPTO;

    const struct crypto_aes *aes = crypto_aes_sodium_is_available() ? &crypto_aes_sodium : &crypto_aes_libcrypto;
    if (!crypto_self_test_hmac() || !crypto_self_test_hkdf() || !crypto_self_test_aes(aes))
        return CRYPTO_SELF_TEST_FAILED;
    chosen_aes = aes;
    return CRYPTO_STARTED;
}

static void start(void)
{
    result = choose();
}

enum crypto_start_result crypto_start(void)
{
    if (pthread_once(&once, start) != 0)
        return CRYPTO_NO_LIBCRYPTO;
    return result;
}

const char *crypto_start_explain(enum crypto_start_result explained)
{
    switch (explained) {
    case CRYPTO_STARTED:
        return "started";
    case CRYPTO_NO_LIBSODIUM:
        return "libsodium cannot be initialised: no source of random numbers";
    case CRYPTO_NO_LIBCRYPTO:
        return "libcrypto has no AES-256-GCM, or memory is short";
    case CRYPTO_SELF_TEST_FAILED:
        return "the self-test of the cryptographic libraries failed";
    }
    return "unknown";
}

const struct crypto_aes *crypto_aes_chosen(void)
{
    return chosen_aes;
}

const char *crypto_aes_name(void)
{
    return chosen_aes->name;
}
