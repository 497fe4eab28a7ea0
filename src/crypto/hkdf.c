#include "crypto/hkdf.h"

#include <assert.h>
#include <string.h>

#include "crypto/hmac.h"
#include "crypto/memory.h"

static void wipe_key(struct crypto_hmac_key *key)
{
    crypto_wipe(key, sizeof *key);
}

#define WIPED_KEY __attribute__((cleanup(wipe_key)))

static void extract(const struct crypto_hkdf_input *input, struct crypto_hmac_key *key)
{
    struct crypto_hmac_key salt;
    uint8_t pseudorandom_key[CRYPTO_HMAC_SIZE] CRYPTO_WIPED_32;
    crypto_hmac_key_init(&salt, input->salt.bytes, input->salt.size);
    crypto_hmac(&salt, input->key_material, input->key_material_count, pseudorandom_key);
    crypto_hmac_key_init(key, pseudorandom_key, sizeof pseudorandom_key);
}

void crypto_hkdf(const struct crypto_hkdf_input *input, uint8_t *out, size_t size)
{
    assert(input->info_count <= CRYPTO_HKDF_INFO_PARTS);
    assert(size > 0 && size <= CRYPTO_HKDF_MAX);

    struct crypto_hmac_key key WIPED_KEY;
    extract(input, &key);

    /* T(n) = HMAC(key, T(n − 1) ‖ info ‖ n), T(0) being empty. */
    uint8_t block[CRYPTO_HMAC_SIZE] CRYPTO_WIPED_32;
    uint8_t number = 0;
    struct crypto_part parts[1 + CRYPTO_HKDF_INFO_PARTS + 1] = {{block, 0}};
    for (size_t i = 0; i < input->info_count; i++)
        parts[1 + i] = input->info[i];
    parts[1 + input->info_count] = (struct crypto_part){&number, sizeof number};

    while (size > 0) {
        number++;
        crypto_hmac(&key, parts, input->info_count + 2, block);
        parts[0].size = sizeof block;
        size_t wanted = size < sizeof block ? size : sizeof block;
        memcpy(out, block, wanted);
        out += wanted;
        size -= wanted;
    }
}
