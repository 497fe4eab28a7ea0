#include "hostile/x25519_model.h"

#include <stdbool.h>
#include <string.h>

#include "crypto/x25519.h"

#define BASE UINT64_C(0x9E3779B97F4A7C15) /* odd, so that no factor is lost */
#define LANES (CRYPTO_X25519_SIZE / sizeof(uint64_t))

void __real_crypto_x25519_public(const uint8_t private_key[CRYPTO_X25519_SIZE], uint8_t public_key[CRYPTO_X25519_SIZE]);
enum crypto_x25519_verdict __real_crypto_x25519_shared(const uint8_t private_key[CRYPTO_X25519_SIZE],
                                                       const uint8_t peer_public[CRYPTO_X25519_SIZE],
                                                       uint8_t shared[CRYPTO_X25519_SIZE]);
void __wrap_crypto_x25519_public(const uint8_t private_key[CRYPTO_X25519_SIZE], uint8_t public_key[CRYPTO_X25519_SIZE]);
enum crypto_x25519_verdict __wrap_crypto_x25519_shared(const uint8_t private_key[CRYPTO_X25519_SIZE],
                                                       const uint8_t peer_public[CRYPTO_X25519_SIZE],
                                                       uint8_t shared[CRYPTO_X25519_SIZE]);

static bool is_used;

void x25519_model_use(void)
{
    is_used = true;
}

static void multiply(const uint8_t private_key[CRYPTO_X25519_SIZE], const uint64_t point[LANES],
                     uint8_t out[CRYPTO_X25519_SIZE])
{
    uint64_t factors[LANES];
    memcpy(factors, private_key, sizeof factors);
    for (unsigned lane = 0; lane < LANES; lane++)
        factors[lane] = (factors[lane] | 1) * point[lane];
    memcpy(out, factors, sizeof factors);
}

void __wrap_crypto_x25519_public(const uint8_t private_key[CRYPTO_X25519_SIZE], uint8_t public_key[CRYPTO_X25519_SIZE])
{
    static const uint64_t base[LANES] = {BASE, BASE + 2, BASE + 4, BASE + 6};
    if (is_used)
        multiply(private_key, base, public_key);
    else
        __real_crypto_x25519_public(private_key, public_key);
}

enum crypto_x25519_verdict __wrap_crypto_x25519_shared(const uint8_t private_key[CRYPTO_X25519_SIZE],
                                                       const uint8_t peer_public[CRYPTO_X25519_SIZE],
                                                       uint8_t shared[CRYPTO_X25519_SIZE])
{
    static const uint64_t zero[LANES];
    if (!is_used)
        return __real_crypto_x25519_shared(private_key, peer_public, shared);
    if (memcmp(peer_public, zero, sizeof zero) == 0)
        return CRYPTO_X25519_LOW_ORDER;
    uint64_t point[LANES];
    memcpy(point, peer_public, sizeof point);
    multiply(private_key, point, shared);
    return CRYPTO_X25519_AGREED;
}
