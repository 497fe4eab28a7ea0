#include "hostile/x25519_model.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SIZE 32u
#define BASE UINT64_C(0x9E3779B97F4A7C15) /* odd, so that no factor is lost */
#define LANES (SIZE / sizeof(uint64_t))

int __real_crypto_scalarmult_base(unsigned char *public_key, const unsigned char *private_key);
int __real_crypto_scalarmult(unsigned char *shared, const unsigned char *private_key, const unsigned char *public_key);
int __wrap_crypto_scalarmult_base(unsigned char *public_key, const unsigned char *private_key);
int __wrap_crypto_scalarmult(unsigned char *shared, const unsigned char *private_key, const unsigned char *public_key);

static bool is_used;

void x25519_model_use(void)
{
    is_used = true;
}

static void multiply(const unsigned char *private_key, const uint64_t point[LANES], unsigned char *out)
{
    uint64_t factors[LANES];
    memcpy(factors, private_key, sizeof factors);
    for (unsigned lane = 0; lane < LANES; lane++)
        factors[lane] = (factors[lane] | 1) * point[lane];
    memcpy(out, factors, sizeof factors);
}

int __wrap_crypto_scalarmult_base(unsigned char *public_key, const unsigned char *private_key)
{
    static const uint64_t base[LANES] = {BASE, BASE + 2, BASE + 4, BASE + 6};
    if (!is_used)
        return __real_crypto_scalarmult_base(public_key, private_key);
    multiply(private_key, base, public_key);
    return 0;
}

int __wrap_crypto_scalarmult(unsigned char *shared, const unsigned char *private_key, const unsigned char *public_key)
{
    static const uint64_t zero[LANES];
    if (!is_used)
        return __real_crypto_scalarmult(shared, private_key, public_key);
    if (memcmp(public_key, zero, sizeof zero) == 0)
        return -1;
    uint64_t point[LANES];
    memcpy(point, public_key, sizeof point);
    multiply(private_key, point, shared);
    return 0;
}
