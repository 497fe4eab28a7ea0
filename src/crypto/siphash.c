#include "crypto/siphash.h"

#include <sodium.h>
#include <string.h>

_Static_assert(CRYPTO_SIPHASH_KEY_SIZE == crypto_shorthash_KEYBYTES, "SipHash-2-4");

uint64_t crypto_siphash(const uint8_t key[CRYPTO_SIPHASH_KEY_SIZE], const void *bytes, size_t size)
{
    uint64_t hash;
    uint8_t out[sizeof hash];
    crypto_shorthash(out, bytes, size, key);
    memcpy(&hash, out, sizeof hash);
    return hash;
}
