/* The two proofs of a handshake: each side shows with an HMAC that it has the PSK. docs/protocol.md section 2.
 *
 * Neither needs the shared secret: the gateway checks the device's first and derives afterwards. The checks compare in
 * constant time.
 */
#ifndef USMP_HANDSHAKE_HMAC_H
#define USMP_HANDSHAKE_HMAC_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/psk.h>
#include <usmp/transcript.h>
#include <usmp/wire.h>

/* What HELLO_ACK carries. */
void usmp_device_hmac(const struct usmp_psk *psk, const struct usmp_transcript *transcript,
                      const uint8_t device_id[USMP_DEVICE_ID_SIZE], uint8_t out[USMP_HANDSHAKE_HMAC_SIZE]);
bool usmp_device_hmac_matches(const struct usmp_psk *psk, const struct usmp_transcript *transcript,
                              const uint8_t device_id[USMP_DEVICE_ID_SIZE],
                              const uint8_t hmac[USMP_HANDSHAKE_HMAC_SIZE]) USMP_MUST_USE;

/* What SESSION_OK carries. */
void usmp_gateway_hmac(const struct usmp_psk *psk, const struct usmp_transcript *transcript,
                       const uint8_t session_id[USMP_SESSION_ID_SIZE], uint8_t out[USMP_HANDSHAKE_HMAC_SIZE]);
bool usmp_gateway_hmac_matches(const struct usmp_psk *psk, const struct usmp_transcript *transcript,
                               const uint8_t session_id[USMP_SESSION_ID_SIZE],
                               const uint8_t hmac[USMP_HANDSHAKE_HMAC_SIZE]) USMP_MUST_USE;

#endif
