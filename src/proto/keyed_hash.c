#include "proto/keyed_hash.h"

#include <string.h>

#include "crypto/memory.h"

_Static_assert(sizeof(struct crypto_hmac_key) == USMP_KEYED_HASH_WORDS * sizeof(uint32_t), "the state is all of it");

static void wipe_key(struct crypto_hmac_key *key)
{
    crypto_wipe(key, sizeof *key);
}

#define WIPED_KEY __attribute__((cleanup(wipe_key)))

void usmp_keyed_hash_init(uint32_t state[USMP_KEYED_HASH_WORDS], const void *bytes, size_t size)
{
    struct crypto_hmac_key key WIPED_KEY;
    crypto_hmac_key_init(&key, bytes, size);
    memcpy(state, &key, sizeof key);
}

void usmp_keyed_hash(const uint32_t state[USMP_KEYED_HASH_WORDS], const struct crypto_part *parts, size_t count,
                     uint8_t out[CRYPTO_HMAC_SIZE])
{
    struct crypto_hmac_key key WIPED_KEY;
    memcpy(&key, state, sizeof key);
    crypto_hmac(&key, parts, count, out);
}

void usmp_keyed_hash_wipe(uint32_t state[USMP_KEYED_HASH_WORDS])
{
    crypto_wipe(state, USMP_KEYED_HASH_WORDS * sizeof *state);
}
