#include "crypto/x25519.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/memory.h"

/* Behind each call the stack is wiped: libsodium 1.0.18 leaves a copy of the private key there. */

void crypto_x25519_public(const uint8_t private_key[CRYPTO_X25519_SIZE], uint8_t public_key[CRYPTO_X25519_SIZE])
{
    /* There is no private key for which this fails. */
    if (crypto_scalarmult_base(public_key, private_key) != 0)
        abort();
    crypto_wipe_stack();
}

enum crypto_x25519_verdict crypto_x25519_shared(const uint8_t private_key[CRYPTO_X25519_SIZE],
                                                const uint8_t peer_public[CRYPTO_X25519_SIZE],
                                                uint8_t shared[CRYPTO_X25519_SIZE])
{
    uint8_t product[CRYPTO_X25519_SIZE] CRYPTO_WIPED_32;
    /* libsodium refuses the points of low order, which are those with an all-zero product. */
    int result = crypto_scalarmult(product, private_key, peer_public);
    crypto_wipe_stack();
    if (result != 0)
        return CRYPTO_X25519_LOW_ORDER;
    if (sodium_is_zero(product, sizeof product))
        return CRYPTO_X25519_LOW_ORDER;
    memcpy(shared, product, sizeof product);
    return CRYPTO_X25519_AGREED;
}
