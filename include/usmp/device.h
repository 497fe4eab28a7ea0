/* The device's side of the protocol: handshake, then a session (docs/protocol.md sections 2 to 4, "device role").
 *
 * Sans-IO, like the session it ends in. Over UDP it repeats what is not acknowledged (500 ms, five sends), answers
 * and filters copies of the gateway's handshake frames, follows HELLO_RETRY (cookie), and takes CHALLENGE or
 * SESSION_OK as acknowledgement of its own frame. Over TCP it waits for the next frame.
 * Errors end the attempt; a new one needs a new begin with new random values. Over UDP a SESSION_OK with a wrong HMAC
 * ends nothing, since anybody may send one: the attempt goes on and, if nothing better comes, fails with
 * USMP_DEVICE_WRONG_GATEWAY.
 */
#ifndef USMP_DEVICE_H
#define USMP_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/psk.h>
#include <usmp/session.h>
#include <usmp/wire.h>

enum usmp_device_state {
    USMP_DEVICE_HELLO_SENT,     /* waits for CHALLENGE (or HELLO_RETRY, or over UDP the UTACK) */
    USMP_DEVICE_HELLO_ACK_SENT, /* waits for SESSION_OK */
    USMP_DEVICE_CONNECTED,      /* `session` is begun: use it for everything but handshake frames */
    USMP_DEVICE_FAILED,         /* see `failure` */
};

enum usmp_device_failure {
    USMP_DEVICE_NO_FAILURE,
    USMP_DEVICE_NO_ANSWER,      /* five sends without an acknowledgement, or the time is up */
    USMP_DEVICE_WRONG_GATEWAY,  /* SESSION_OK's HMAC is wrong: the gateway has another key */
    USMP_DEVICE_BAD_PUBLIC_KEY, /* the shared secret is zero */
    USMP_DEVICE_PROTOCOL,       /* TCP: not the frame that had to come */
};

/* What the device drew for this attempt. */
struct usmp_device_start {
    enum usmp_transport transport;
    uint8_t version;         /* 1 or 2 */
    enum usmp_cipher cipher; /* AUTO is AES-256-GCM for a device */
    uint8_t device_id[USMP_DEVICE_ID_SIZE];
    uint8_t private_key[USMP_PRIVATE_KEY_SIZE];
    struct usmp_psk psk;
    uint64_t give_up_after; /* microseconds for the whole handshake */
};

struct usmp_device {
    enum usmp_device_state state;
    enum usmp_device_failure failure; /* counts when FAILED */
    struct usmp_device_start start;   /* its secrets are wiped once they are not needed any more */
    struct usmp_session session;      /* the owner's table is used for handshake frames too */
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    uint8_t frame[USMP_HELLO_COOKIE_FRAME]; /* HELLO or HELLO_ACK, as sent last */
    size_t frame_size;
    uint8_t sends;
    bool acknowledged;
    bool has_cookie; /* a HELLO_RETRY has been followed */
    uint32_t handshake_seq;
    uint64_t due;
    uint64_t give_up_at;
    struct usmp_challenge challenge;   /* as received: for SESSION_OK, and to know copies */
    struct usmp_session_ok session_ok; /* as received: to know copies */
};

/* Sends HELLO. `start` is copied; the caller wipes its own. usmp_device_wipe must follow, whatever comes of it. */
void usmp_device_begin(struct usmp_device *device, const struct usmp_session_owner *owner, void *user,
                       const struct usmp_device_start *start, uint64_t now);
void usmp_device_wipe(struct usmp_device *device);

/* A parsed frame, of the handshake or of the session; once CONNECTED the verdicts are the session's. Before: NOTHING,
 * DUPLICATE (a copy, answered), NOT_AUTHENTIC or UNEXPECTED (UDP: dropped), OVER (`state` is FAILED). */
enum usmp_session_verdict usmp_device_receive(struct usmp_device *device, const struct usmp_frame *frame,
                                              uint8_t *scratch, uint64_t now) USMP_MUST_USE;
enum usmp_session_verdict usmp_device_receive_utack(struct usmp_device *device, const uint8_t *bytes, size_t size,
                                                    uint64_t now) USMP_MUST_USE;

/* Like usmp_session_deadline and usmp_session_advance, in every state. */
uint64_t usmp_device_deadline(const struct usmp_device *device) USMP_MUST_USE;
/* NOTHING, or OVER when the handshake failed or the session ended. */
enum usmp_session_verdict usmp_device_advance(struct usmp_device *device, uint64_t now) USMP_MUST_USE;

#endif
