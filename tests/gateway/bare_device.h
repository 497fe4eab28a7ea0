/* A device by hand: a test makes each of its frames and looks at each answer, byte by byte. It knows the protocol from
 * libusmp's lower layers only (frames, handshake messages, HMACs, keys, records), not from its sessions. */
#ifndef TESTS_GATEWAY_BARE_DEVICE_H
#define TESTS_GATEWAY_BARE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/keys.h>
#include <usmp/psk.h>
#include <usmp/record.h>
#include <usmp/utack.h>

#include "gateway/world.h"

struct bare_device {
    struct simulated_device *port;
    unsigned wire;
    uint8_t id[USMP_DEVICE_ID_SIZE];
    uint8_t private_key[USMP_PRIVATE_KEY_SIZE];
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    struct usmp_psk psk;
    enum usmp_suite suite;
    struct usmp_challenge challenge;
    struct usmp_session_ok session_ok;
    struct usmp_keys keys;
    uint8_t last[USMP_FRAME_MAX]; /* the last frame that left, to be sent again */
    size_t last_size;
};

/* Nothing leaves yet. */
struct bare_device bare_device(struct world *world, enum usmp_transport transport, unsigned wire, const char *id,
                               const char *psk, const char *address);
/* A new pair of keys, as after a restart. */
void bare_restart(struct bare_device *device);

/* Each sends one frame and settles. */
void bare_send(struct bare_device *device, const uint8_t *bytes, size_t size);
void bare_repeat(struct bare_device *device);
void bare_hello(struct bare_device *device, uint32_t seq, const uint8_t *cookie);
void bare_hello_ack(struct bare_device *device, uint32_t seq);
void bare_wrong_hello_ack(struct bare_device *device, uint32_t seq);
void bare_record(struct bare_device *device, uint8_t type, uint32_t seq, const void *plaintext, size_t size);
void bare_utack(struct bare_device *device, uint8_t type, uint32_t seq, bool keyed);

/* Takes the next thing that came, which must be such a frame or UTACK. */
void bare_expect_frame(struct bare_device *device, uint8_t type, uint8_t *bytes);
void bare_expect_challenge(struct bare_device *device);
void bare_expect_session_ok(struct bare_device *device);
void bare_expect_utack(struct bare_device *device, uint8_t type, uint32_t seq, bool keyed);
/* An encrypted frame with this plaintext. */
void bare_expect_record(struct bare_device *device, uint8_t type, uint32_t seq, const void *plaintext, size_t size);
/* Nothing has come. */
void bare_expect_silence(const struct bare_device *device);
void bare_expect_closed(const struct bare_device *device);
/* Throws away what came. */
void bare_ignore(struct bare_device *device);

/* Takes a HELLO_RETRY and sends HELLO with its cookie, seq 1. */
void bare_show_cookie(struct bare_device *device);

/* All of the handshake, looking at every answer, as far as a session; without a cookie, or asked for one. */
void bare_connect(struct bare_device *device);
void bare_connect_with_cookie(struct bare_device *device);

#endif
