/* The whole wire in named numbers: docs/protocol.md sections 1 to 4. Integers on the wire are little-endian. */
#ifndef USMP_WIRE_H
#define USMP_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#define USMP_MUST_USE __attribute__((warn_unused_result))

/* Versions: a session keeps that of its HELLO. */
#define USMP_WIRE_1 0x01
#define USMP_WIRE_2 0x02

enum usmp_role {
    USMP_DEVICE,
    USMP_GATEWAY,
};

enum usmp_transport {
    USMP_TCP,
    USMP_UDP,
};

/* Section 1: a frame. */
#define USMP_MAGIC_0 0xCD
#define USMP_MAGIC_1 0xAB
#define USMP_HEADER_SIZE 12
#define USMP_HEADER_AUTHENTIC_SIZE 10 /* what the CRC and the AAD cover of the header: all but the CRC itself */
#define USMP_PAYLOAD_MAX 480
#define USMP_FRAME_MAX (USMP_HEADER_SIZE + USMP_PAYLOAD_MAX)

enum usmp_type {
    USMP_HELLO = 0x01,
    USMP_CHALLENGE = 0x02,
    USMP_HELLO_ACK = 0x03,
    USMP_SESSION_OK = 0x04,
    USMP_DATA = 0x05,
    USMP_PING = 0x06,
    USMP_PONG = 0x07,
    USMP_BYE = 0x08,
    USMP_DATA_FRAG = 0x09,
    USMP_HELLO_RETRY = 0x0A, /* wire 2 over UDP only */
    USMP_REKEY = 0x0B,       /* wire 2 only */
    USMP_ERROR = 0xFF,       /* reserved: nobody sends it, and nobody may */
};

/* Section 2: the handshake. */
#define USMP_DEVICE_ID_SIZE 6
#define USMP_PUBLIC_KEY_SIZE 32
#define USMP_PRIVATE_KEY_SIZE 32
#define USMP_COOKIE_SIZE 16
#define USMP_HANDSHAKE_NONCE_SIZE 32
#define USMP_HANDSHAKE_HMAC_SIZE 32
#define USMP_SESSION_ID_SIZE 16
#define USMP_KEY_SIZE 32

#define USMP_HELLO_PAYLOAD (USMP_DEVICE_ID_SIZE + USMP_PUBLIC_KEY_SIZE)
#define USMP_HELLO_COOKIE_PAYLOAD (USMP_HELLO_PAYLOAD + USMP_COOKIE_SIZE)
#define USMP_CHALLENGE_PAYLOAD (USMP_HANDSHAKE_NONCE_SIZE + USMP_PUBLIC_KEY_SIZE)
#define USMP_HELLO_ACK_PAYLOAD USMP_HANDSHAKE_HMAC_SIZE
#define USMP_SESSION_OK_PAYLOAD (USMP_SESSION_ID_SIZE + USMP_HANDSHAKE_HMAC_SIZE)
#define USMP_HELLO_RETRY_PAYLOAD USMP_COOKIE_SIZE

#define USMP_HELLO_FRAME (USMP_HEADER_SIZE + USMP_HELLO_PAYLOAD)
#define USMP_HELLO_COOKIE_FRAME (USMP_HEADER_SIZE + USMP_HELLO_COOKIE_PAYLOAD)
#define USMP_CHALLENGE_FRAME (USMP_HEADER_SIZE + USMP_CHALLENGE_PAYLOAD)
#define USMP_HELLO_ACK_FRAME (USMP_HEADER_SIZE + USMP_HELLO_ACK_PAYLOAD)
#define USMP_SESSION_OK_FRAME (USMP_HEADER_SIZE + USMP_SESSION_OK_PAYLOAD)
#define USMP_HELLO_RETRY_FRAME (USMP_HEADER_SIZE + USMP_HELLO_RETRY_PAYLOAD)
#define USMP_HANDSHAKE_FRAME_MAX USMP_CHALLENGE_FRAME

/* Section 3: the session. */
#define USMP_NONCE_SIZE 12
#define USMP_NONCE_SEQ_SIZE 4
#define USMP_NONCE_SESSION_SIZE 8 /* session_id[0..7], the rest of a nonce; finds a session from another address */
#define USMP_TAG_SIZE 16
#define USMP_RECORD_OVERHEAD (USMP_NONCE_SIZE + USMP_TAG_SIZE)
#define USMP_PLAINTEXT_MAX (USMP_PAYLOAD_MAX - USMP_RECORD_OVERHEAD)
#define USMP_FRAGMENTS_MAX 4
#define USMP_MESSAGE_MAX (USMP_FRAGMENTS_MAX * USMP_PLAINTEXT_MAX)
#define USMP_CONTROL_PAYLOAD USMP_RECORD_OVERHEAD
#define USMP_CONTROL_FRAME (USMP_HEADER_SIZE + USMP_CONTROL_PAYLOAD)
#define USMP_REKEY_SALT_SIZE 32
#define USMP_REKEY_PAYLOAD (USMP_RECORD_OVERHEAD + USMP_REKEY_SALT_SIZE)
#define USMP_REKEY_FRAME (USMP_HEADER_SIZE + USMP_REKEY_PAYLOAD)
#define USMP_REPLAY_WINDOW 64              /* the highest authentic seq and the 63 below */
#define USMP_SEQ_LAST UINT32_C(0xFFFFFFFF) /* ends a session */

/* Section 4: the acknowledgement of a datagram. */
#define USMP_UTACK_MAGIC 0xAC /* twice */
#define USMP_UTACK_PLAIN_SIZE 7
#define USMP_UTACK_MAC_SIZE 8
#define USMP_UTACK_KEYED_SIZE (USMP_UTACK_PLAIN_SIZE + USMP_UTACK_MAC_SIZE)

/* The suites of a session; nothing on the wire tells which one it is (section 3). */
enum usmp_suite {
    USMP_AES_256_GCM,
    USMP_CHACHA20_POLY1305, /* wire 2 only */
};

_Static_assert(USMP_PLAINTEXT_MAX == 452, "docs/protocol.md section 3");
_Static_assert(USMP_MESSAGE_MAX == 1808, "docs/protocol.md section 3");
_Static_assert(USMP_FRAME_MAX == 492, "docs/protocol.md section 1");

/* Whether the payload of such a frame is nonce, ciphertext and tag: DATA, DATA_FRAG, PING, PONG, BYE, REKEY. */
bool usmp_type_is_encrypted(uint8_t type);

/* Name of a type for logs and traces, "unknown" for what is none. */
const char *usmp_type_name(uint8_t type);

#endif
