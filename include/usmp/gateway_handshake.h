/* The gateway's side of one handshake in progress (docs/protocol.md sections 2 and 4): HELLO to SESSION_OK.
 *
 * Sans-IO; the owner keeps one of these for each pending handshake, over UDP several for one address if need be (a
 * device that restarted shows another public key). Frames go in parsed; frames that go out are written to the
 * caller's buffers. Random values come in ready-made and belong to this handshake alone: the key pair is used in one
 * derivation whatever comes of it, and one HELLO_ACK completes it once (docs/security.md rule 6).
 *
 * The HMAC is checked before anything dear is computed: usmp_gateway_handshake_verify costs a handful of HMACs,
 * usmp_gateway_handshake_complete the one X25519.
 */
#ifndef USMP_GATEWAY_HANDSHAKE_H
#define USMP_GATEWAY_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/psk.h>
#include <usmp/session.h>
#include <usmp/wire.h>

#define USMP_HANDSHAKE_CHECKS_MAX 8u        /* wrong HELLO_ACKs over UDP that one handshake looks at */
#define USMP_CHALLENGE_REPEAT_AFTER 500000u /* microseconds */

/* What the gateway drew for this handshake. */
struct usmp_gateway_secrets {
    uint8_t private_key[USMP_PRIVATE_KEY_SIZE];
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    uint8_t nonce[USMP_HANDSHAKE_NONCE_SIZE];
    uint8_t session_id[USMP_SESSION_ID_SIZE];
};

struct usmp_gateway_handshake {
    uint8_t version;
    enum usmp_transport transport;
    uint8_t device_id[USMP_DEVICE_ID_SIZE];
    uint8_t device_public[USMP_PUBLIC_KEY_SIZE];
    struct usmp_gateway_secrets secrets;
    uint8_t checks;       /* HELLO_ACKs looked at */
    uint8_t repeats_left; /* of CHALLENGE */
    uint64_t begun;       /* when its HELLO arrived: "newest wins" goes by this (docs/security.md rule 17) */
    uint64_t repeat_due;  /* UDP: when CHALLENGE leaves again; USMP_NEVER when it does not */
};

/* Begins with a parsed HELLO. `repeats`: how often CHALLENGE may be repeated by itself over UDP (an unproved address
 * gets few: docs/security.md rule 11). Copies the secrets; the caller wipes its own. */
void usmp_gateway_handshake_begin(struct usmp_gateway_handshake *handshake, enum usmp_transport transport,
                                  uint8_t version, const struct usmp_hello *hello,
                                  const struct usmp_gateway_secrets *secrets, unsigned repeats, uint64_t now);
void usmp_gateway_handshake_wipe(struct usmp_gateway_handshake *handshake);

/* The CHALLENGE frame, the same bytes each time. */
void usmp_gateway_handshake_challenge(const struct usmp_gateway_handshake *handshake,
                                      uint8_t frame[USMP_CHALLENGE_FRAME]);

/* Whether a HELLO is another copy of the one this began with (same version, device id and public key). */
bool usmp_gateway_handshake_matches(const struct usmp_gateway_handshake *handshake, uint8_t version,
                                    const struct usmp_hello *hello) USMP_MUST_USE;

/* Whether CHALLENGE has to leave again now; counts it. */
bool usmp_gateway_handshake_repeat(struct usmp_gateway_handshake *handshake, uint64_t now) USMP_MUST_USE;

enum usmp_handshake_verdict {
    USMP_HANDSHAKE_RIGHT, /* *matched is the index of the key */
    USMP_HANDSHAKE_WRONG, /* no key fits: over UDP the handshake stays, over TCP it is over */
    USMP_HANDSHAKE_SPENT, /* too many wrong ones before: not looked at */
};

/* Checks a HELLO_ACK's HMAC against every one of `count` keys, always all of them (docs/security.md rule 4). Counts
 * one check. No derivation yet. */
enum usmp_handshake_verdict usmp_gateway_handshake_verify(struct usmp_gateway_handshake *handshake,
                                                          const struct usmp_hello_ack *hello_ack,
                                                          const struct usmp_psk *keys, size_t count,
                                                          size_t *matched) USMP_MUST_USE;

enum usmp_handshake_completion {
    USMP_HANDSHAKE_COMPLETE, /* *start is filled; the caller sets cipher, may_send, confirm_within, wipes it */
    USMP_HANDSHAKE_REFUSED,  /* the shared secret is zero: a forged public key */
};

/* Derives the keys and makes SESSION_OK, for the key that verify found. The handshake is wiped in either case. */
enum usmp_handshake_completion usmp_gateway_handshake_complete(struct usmp_gateway_handshake *handshake,
                                                               const struct usmp_hello_ack *hello_ack,
                                                               const struct usmp_psk *key,
                                                               struct usmp_session_start *start) USMP_MUST_USE;

#endif
