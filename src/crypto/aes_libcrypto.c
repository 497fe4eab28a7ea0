/* AES-256-GCM by libcrypto's EVP, for CPUs where libsodium has none.
 *
 * A context costs an allocation, and sealing must not fail for want of memory; so a few are made at start and lent for
 * the length of a call. A lent one is re-keyed, and keyed with zeros when it comes back: no key stays in it.
 */
#include "crypto/aes.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* More threads than this at once wait for each other; a daemon has one a CPU. */
#define CONTEXTS 16

struct context {
    atomic_flag lent;
    EVP_CIPHER_CTX *evp;
};

static struct context contexts[CONTEXTS];

static const uint8_t zeros[CRYPTO_AEAD_KEY_SIZE];

bool crypto_aes_libcrypto_start(void)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    bool made = cipher != NULL;
    for (size_t i = 0; made && i < CONTEXTS; i++) {
        atomic_flag_clear(&contexts[i].lent);
        contexts[i].evp = EVP_CIPHER_CTX_new();
        made = contexts[i].evp != NULL && EVP_CipherInit_ex2(contexts[i].evp, cipher, zeros, zeros, 1, NULL) == 1;
    }
    EVP_CIPHER_free(cipher);
    if (!made)
        crypto_aes_libcrypto_stop();
    return made;
}

void crypto_aes_libcrypto_stop(void)
{
    for (size_t i = 0; i < CONTEXTS; i++) {
        EVP_CIPHER_CTX_free(contexts[i].evp);
        contexts[i].evp = NULL;
    }
}

/* Nothing in a started context can fail but the tag. If it does all the same, going on would send what is not
 * encrypted. */
static void must(int evp_result)
{
    if (evp_result != 1)
        abort();
}

static struct context *borrow(const uint8_t *key, const uint8_t *nonce, int encrypt)
{
    for (size_t i = 0;; i = (i + 1) % CONTEXTS) {
        if (!atomic_flag_test_and_set_explicit(&contexts[i].lent, memory_order_acquire)) {
            must(EVP_CipherInit_ex2(contexts[i].evp, NULL, key, nonce, encrypt, NULL));
            return &contexts[i];
        }
        if (i == CONTEXTS - 1)
            sched_yield();
    }
}

static void give_back(struct context *context)
{
    must(EVP_CipherInit_ex2(context->evp, NULL, zeros, zeros, 1, NULL));
    atomic_flag_clear_explicit(&context->lent, memory_order_release);
}

/* EVP takes sizes as int, and a NULL output for additional data. */
static void update(struct context *context, uint8_t *out, const void *in, size_t size)
{
    assert(size <= INT_MAX);
    int written = 0;
    if (size > 0)
        must(EVP_CipherUpdate(context->evp, out, &written, in, (int)size));
}

static void seal(const uint8_t *key, const uint8_t *nonce, const void *additional, size_t additional_size,
                 const uint8_t *plaintext, size_t size, uint8_t *out)
{
    struct context *context = borrow(key, nonce, 1);
    int written = 0;
    update(context, NULL, additional, additional_size);
    update(context, out, plaintext, size);
    must(EVP_CipherFinal_ex(context->evp, out + size, &written));
    must(EVP_CIPHER_CTX_ctrl(context->evp, EVP_CTRL_AEAD_GET_TAG, CRYPTO_AEAD_TAG_SIZE, out + size));
    give_back(context);
}

static enum crypto_open_verdict open_sealed(const uint8_t *key, const uint8_t *nonce, const void *additional,
                                            size_t additional_size, const uint8_t *sealed, size_t size, uint8_t *out)
{
    size_t plaintext_size = size - CRYPTO_AEAD_TAG_SIZE;
    uint8_t tag[CRYPTO_AEAD_TAG_SIZE];
    memcpy(tag, sealed + plaintext_size, sizeof tag);

    struct context *context = borrow(key, nonce, 0);
    int written = 0;
    update(context, NULL, additional, additional_size);
    update(context, out, sealed, plaintext_size);
    must(EVP_CIPHER_CTX_ctrl(context->evp, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag));
    int authentic = EVP_CipherFinal_ex(context->evp, tag, &written);
    give_back(context);

    if (authentic != 1) {
        /* Decrypted before it was checked: nobody may see it. */
        explicit_bzero(out, plaintext_size);
        return CRYPTO_NOT_AUTHENTIC;
    }
    return CRYPTO_OPENED;
}

const struct crypto_aes crypto_aes_libcrypto = {.name = "libcrypto", .seal = seal, .open = open_sealed};
