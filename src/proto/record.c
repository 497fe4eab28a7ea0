#include <usmp/record.h>

#include <assert.h>
#include <string.h>

#include "crypto/aead.h"
#include "proto/frame_header.h"
#include "proto/little_endian.h"

_Static_assert(CRYPTO_AEAD_KEY_SIZE == USMP_KEY_SIZE, "docs/protocol.md section 2");
_Static_assert(CRYPTO_AEAD_NONCE_SIZE == USMP_NONCE_SIZE, "docs/protocol.md section 3");
_Static_assert(CRYPTO_AEAD_TAG_SIZE == USMP_TAG_SIZE, "docs/protocol.md section 3");

static enum crypto_suite crypto_suite_of(enum usmp_suite suite)
{
    return suite == USMP_AES_256_GCM ? CRYPTO_AES_256_GCM : CRYPTO_CHACHA20_POLY1305;
}

static void make_nonce(uint32_t seq, const uint8_t *session_id, uint8_t nonce[USMP_NONCE_SIZE])
{
    usmp_store_le32(nonce, seq);
    memcpy(nonce + USMP_NONCE_SEQ_SIZE, session_id, USMP_NONCE_SESSION_SIZE);
}

size_t usmp_record_seal(const struct usmp_record_context *context, uint8_t version, uint8_t type, uint32_t seq,
                        const uint8_t *plaintext, size_t size, uint8_t out[USMP_FRAME_MAX])
{
    assert(usmp_type_is_encrypted(type));
    assert(size <= USMP_PLAINTEXT_MAX);
    size_t length = USMP_RECORD_OVERHEAD + size;
    uint8_t *nonce = out + USMP_HEADER_SIZE;
    usmp_frame_header_begin(version, type, seq, length, out);
    make_nonce(seq, context->session_id, nonce);
    crypto_seal(crypto_suite_of(context->suite), context->key, nonce, out, USMP_HEADER_AUTHENTIC_SIZE, plaintext, size,
                nonce + USMP_NONCE_SIZE);
    return usmp_frame_header_finish(out, length);
}

enum usmp_record_verdict usmp_record_open(const struct usmp_record_context *context, const struct usmp_frame *frame,
                                          uint8_t plaintext[USMP_PLAINTEXT_MAX], size_t *size)
{
    if (!usmp_type_is_encrypted(frame->type))
        return USMP_RECORD_NOT_ENCRYPTED;
    uint8_t nonce[USMP_NONCE_SIZE];
    make_nonce(frame->seq, context->session_id, nonce);
    if (memcmp(nonce, frame->payload, sizeof nonce) != 0)
        return USMP_RECORD_WRONG_NONCE;

    size_t sealed_size = frame->length - (size_t)USMP_NONCE_SIZE;
    if (crypto_open(crypto_suite_of(context->suite), context->key, nonce, frame->bytes, USMP_HEADER_AUTHENTIC_SIZE,
                    frame->payload + USMP_NONCE_SIZE, sealed_size, plaintext) != CRYPTO_OPENED)
        return USMP_RECORD_WRONG_TAG;
    *size = sealed_size - USMP_TAG_SIZE;
    return USMP_RECORD_OPENED;
}

const uint8_t *usmp_record_session(const struct usmp_frame *frame)
{
    return usmp_type_is_encrypted(frame->type) ? frame->payload + USMP_NONCE_SEQ_SIZE : NULL;
}
