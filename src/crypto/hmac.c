/* libcrypto's SHA256_* calls are marked deprecated in OpenSSL 3, in favour of EVP. EVP cannot start from a kept state
 * without an allocation and takes fifteen times as long for a short input; crypto_start() compares the two. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/hmac.h"

#include <openssl/sha.h>
#include <string.h>

#include "crypto/memory.h"

#define BLOCK SHA256_CBLOCK
#define INNER_PAD 0x36
#define OUTER_PAD 0x5C

_Static_assert(CRYPTO_HMAC_SIZE == SHA256_DIGEST_LENGTH, "HMAC-SHA256");

static void wipe_context(SHA256_CTX *context)
{
    crypto_wipe(context, sizeof *context);
}

#define WIPED_CONTEXT __attribute__((cleanup(wipe_context)))

static void keep_state(const uint8_t padded[BLOCK], uint8_t pad, uint32_t state[8])
{
    uint8_t block[BLOCK] CRYPTO_WIPED_64;
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = padded[i] ^ pad;

    SHA256_CTX context WIPED_CONTEXT;
    SHA256_Init(&context);
    SHA256_Update(&context, block, BLOCK);
    memcpy(state, context.h, sizeof context.h);
}

void crypto_hmac_key_init(struct crypto_hmac_key *key, const void *bytes, size_t size)
{
    uint8_t padded[BLOCK] CRYPTO_WIPED_64 = {0};
    if (size > BLOCK) {
        SHA256_CTX context WIPED_CONTEXT;
        SHA256_Init(&context);
        SHA256_Update(&context, bytes, size);
        SHA256_Final(padded, &context);
    } else if (size > 0) {
        memcpy(padded, bytes, size);
    }
    keep_state(padded, INNER_PAD, key->inner);
    keep_state(padded, OUTER_PAD, key->outer);
}

static void continue_from(SHA256_CTX *context, const uint32_t state[8])
{
    SHA256_Init(context);
    memcpy(context->h, state, sizeof context->h);
    context->Nl = BLOCK * 8; /* bits that have gone in */
}

void crypto_hmac(const struct crypto_hmac_key *key, const struct crypto_part *parts, size_t count,
                 uint8_t out[CRYPTO_HMAC_SIZE])
{
    SHA256_CTX context WIPED_CONTEXT;
    uint8_t inner[CRYPTO_HMAC_SIZE] CRYPTO_WIPED_32;

    continue_from(&context, key->inner);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > 0)
            SHA256_Update(&context, parts[i].bytes, parts[i].size);
    }
    SHA256_Final(inner, &context);

    continue_from(&context, key->outer);
    SHA256_Update(&context, inner, sizeof inner);
    SHA256_Final(out, &context);
}
