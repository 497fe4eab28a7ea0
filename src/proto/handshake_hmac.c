#include <usmp/handshake_hmac.h>

#include <assert.h>

#include "crypto/memory.h"
#include "proto/keyed_hash.h"

/* HMAC(PSK, prefix(type) ‖ nonce ‖ subject ‖ pub_C ‖ pub_S); the subject is what this side proves beyond the PSK. */
static void hash(const struct usmp_psk *psk, const struct usmp_transcript *transcript, uint8_t type,
                 struct crypto_part subject, uint8_t out[USMP_HANDSHAKE_HMAC_SIZE])
{
    assert(transcript->version == USMP_WIRE_1 || transcript->version == USMP_WIRE_2);
    const uint8_t prefix[] = {USMP_MAGIC_0, USMP_MAGIC_1, USMP_WIRE_2, type};
    const struct crypto_part parts[] = {
        {prefix, transcript->version == USMP_WIRE_1 ? 0 : sizeof prefix},
        {transcript->nonce, sizeof transcript->nonce},
        subject,
        {transcript->device_public, sizeof transcript->device_public},
        {transcript->gateway_public, sizeof transcript->gateway_public},
    };
    usmp_keyed_hash(psk->state, parts, sizeof parts / sizeof *parts, out);
}

void usmp_device_hmac(const struct usmp_psk *psk, const struct usmp_transcript *transcript,
                      const uint8_t device_id[USMP_DEVICE_ID_SIZE], uint8_t out[USMP_HANDSHAKE_HMAC_SIZE])
{
    hash(psk, transcript, USMP_HELLO_ACK, (struct crypto_part){device_id, USMP_DEVICE_ID_SIZE}, out);
}

bool usmp_device_hmac_matches(const struct usmp_psk *psk, const struct usmp_transcript *transcript,
                              const uint8_t device_id[USMP_DEVICE_ID_SIZE],
                              const uint8_t hmac[USMP_HANDSHAKE_HMAC_SIZE])
{
    uint8_t expected[USMP_HANDSHAKE_HMAC_SIZE] CRYPTO_WIPED_32;
    usmp_device_hmac(psk, transcript, device_id, expected);
    return crypto_equal(expected, hmac, sizeof expected);
}

void usmp_gateway_hmac(const struct usmp_psk *psk, const struct usmp_transcript *transcript,
                       const uint8_t session_id[USMP_SESSION_ID_SIZE], uint8_t out[USMP_HANDSHAKE_HMAC_SIZE])
{
    hash(psk, transcript, USMP_SESSION_OK, (struct crypto_part){session_id, USMP_SESSION_ID_SIZE}, out);
}

bool usmp_gateway_hmac_matches(const struct usmp_psk *psk, const struct usmp_transcript *transcript,
                               const uint8_t session_id[USMP_SESSION_ID_SIZE],
                               const uint8_t hmac[USMP_HANDSHAKE_HMAC_SIZE])
{
    uint8_t expected[USMP_HANDSHAKE_HMAC_SIZE] CRYPTO_WIPED_32;
    usmp_gateway_hmac(psk, transcript, session_id, expected);
    return crypto_equal(expected, hmac, sizeof expected);
}
