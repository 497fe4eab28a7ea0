/* A comparison with libcrypto's EVP at start, so that a library that is broken, or not what it was built against, is
 * found before it protects anything. Internal to this room.
 */
#ifndef CRYPTO_SELF_TEST_H
#define CRYPTO_SELF_TEST_H

#include <stdbool.h>

#include "crypto/aes.h"
#include "crypto/attributes.h"

bool crypto_self_test_hmac(void) CRYPTO_MUST_USE;
bool crypto_self_test_hkdf(void) CRYPTO_MUST_USE;

/* Against the implementation by EVP, which must have been started; in both directions, a false tag included. */
bool crypto_self_test_aes(const struct crypto_aes *aes) CRYPTO_MUST_USE;

#endif
