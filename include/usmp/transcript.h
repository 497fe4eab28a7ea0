/* What both ends of a handshake have seen, and what its HMACs and keys are bound to: docs/protocol.md section 2. */
#ifndef USMP_TRANSCRIPT_H
#define USMP_TRANSCRIPT_H

#include <stdint.h>

#include <usmp/wire.h>

struct usmp_transcript {
    uint8_t version;
    uint8_t nonce[USMP_HANDSHAKE_NONCE_SIZE];
    uint8_t device_public[USMP_PUBLIC_KEY_SIZE];  /* pub_C */
    uint8_t gateway_public[USMP_PUBLIC_KEY_SIZE]; /* pub_S */
};

#endif
