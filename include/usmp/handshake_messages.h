/* The messages of the handshake, writing and reading side by side: docs/protocol.md section 2. Sizes and order only;
 * what they prove is in usmp/handshake_hmac.h, when they may come is the handshake's business.
 *
 * A `write` needs room for the frame named in its parameter and returns the frame's size. A `read` is false, and
 * leaves its output alone, when the frame is of another type; the frame must come from usmp_frame_parse(), which has
 * checked the length. Structures are copies, independent of the frame.
 */
#ifndef USMP_HANDSHAKE_MESSAGES_H
#define USMP_HANDSHAKE_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/frame.h>
#include <usmp/wire.h>

struct usmp_hello {
    uint8_t device_id[USMP_DEVICE_ID_SIZE];
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    bool has_cookie; /* wire 2 only */
    uint8_t cookie[USMP_COOKIE_SIZE];
};

struct usmp_challenge {
    uint8_t nonce[USMP_HANDSHAKE_NONCE_SIZE];
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
};

struct usmp_hello_ack {
    uint8_t hmac[USMP_HANDSHAKE_HMAC_SIZE];
};

struct usmp_session_ok {
    uint8_t session_id[USMP_SESSION_ID_SIZE];
    uint8_t hmac[USMP_HANDSHAKE_HMAC_SIZE];
};

struct usmp_hello_retry {
    uint8_t cookie[USMP_COOKIE_SIZE];
};

size_t usmp_hello_write(uint8_t version, uint32_t seq, const struct usmp_hello *hello,
                        uint8_t out[USMP_HELLO_COOKIE_FRAME]);
bool usmp_hello_read(const struct usmp_frame *frame, struct usmp_hello *hello) USMP_MUST_USE;

size_t usmp_challenge_write(uint8_t version, uint32_t seq, const struct usmp_challenge *challenge,
                            uint8_t out[USMP_CHALLENGE_FRAME]);
bool usmp_challenge_read(const struct usmp_frame *frame, struct usmp_challenge *challenge) USMP_MUST_USE;

size_t usmp_hello_ack_write(uint8_t version, uint32_t seq, const struct usmp_hello_ack *hello_ack,
                            uint8_t out[USMP_HELLO_ACK_FRAME]);
bool usmp_hello_ack_read(const struct usmp_frame *frame, struct usmp_hello_ack *hello_ack) USMP_MUST_USE;

size_t usmp_session_ok_write(uint8_t version, uint32_t seq, const struct usmp_session_ok *session_ok,
                             uint8_t out[USMP_SESSION_OK_FRAME]);
bool usmp_session_ok_read(const struct usmp_frame *frame, struct usmp_session_ok *session_ok) USMP_MUST_USE;

/* Wire 2 only. */
size_t usmp_hello_retry_write(uint32_t seq, const struct usmp_hello_retry *hello_retry,
                              uint8_t out[USMP_HELLO_RETRY_FRAME]);
bool usmp_hello_retry_read(const struct usmp_frame *frame, struct usmp_hello_retry *hello_retry) USMP_MUST_USE;

#endif
