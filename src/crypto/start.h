/* The choice of implementations, made once at start.
 *
 * Nothing else of this room may be called before crypto_start() returned CRYPTO_STARTED (crypto_wipe and crypto_equal
 * excepted). It may be called again, from any thread; every call returns what the first one found. The choice is the
 * room's only global state and never changes afterwards.
 */
#ifndef CRYPTO_START_H
#define CRYPTO_START_H

#include "crypto/attributes.h"

enum crypto_start_result {
    CRYPTO_STARTED,
    CRYPTO_NO_LIBSODIUM,     /* libsodium cannot initialise (no source of randomness) */
    CRYPTO_NO_LIBCRYPTO,     /* libcrypto lacks an algorithm that is needed, or memory is short */
    CRYPTO_SELF_TEST_FAILED, /* an implementation differs from libcrypto's EVP: broken library or machine */
};

enum crypto_start_result crypto_start(void) CRYPTO_MUST_USE;

/* For a log line: what a result of crypto_start() means. */
const char *crypto_start_explain(enum crypto_start_result explained);

/* For a log line: which AES-256-GCM is in use, "libsodium" or "libcrypto". */
const char *crypto_aes_name(void);

#endif
