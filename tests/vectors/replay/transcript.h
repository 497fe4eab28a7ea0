/* The replay of one recorded conversation (tests/data/vectors/README.md has the format) through libusmp, as device
 * and as gateway: each frame is made by its sender and read by its receiver, and has to agree byte for byte.
 */
#ifndef TESTS_VECTORS_REPLAY_TRANSCRIPT_H
#define TESTS_VECTORS_REPLAY_TRANSCRIPT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <usmp/keys.h>
#include <usmp/psk.h>
#include <usmp/transcript.h>
#include <usmp/wire.h>

#include "vectors/replay/fields.h"
#include "vectors/replay/report.h"

/* PSKs have no greatest length; this is far over any. */
#define REPLAY_PSK_MAX 4096

struct replay {
    struct replay_report *report;
    const json_t *transcript;
    struct usmp_psk psk;
    uint8_t device_id[USMP_DEVICE_ID_SIZE];
    uint8_t device_private[USMP_PRIVATE_KEY_SIZE];
    uint8_t gateway_private[USMP_PRIVATE_KEY_SIZE];
    uint8_t session_id[USMP_SESSION_ID_SIZE];
    struct usmp_transcript seen; /* with the public keys that belong to the private ones */
    struct usmp_keys keys;       /* as recorded; the handshake has derived the same */
};

/* True when all of it agrees; otherwise the report has the first difference. */
bool replay_transcript(const json_t *transcript, struct replay_report *report) REPLAY_MUST_USE;

/* Its parts, in this order. */
bool replay_handshake(const struct replay *replay) REPLAY_MUST_USE;
bool replay_session(const struct replay *replay) REPLAY_MUST_USE;
bool replay_utacks(const struct replay *replay) REPLAY_MUST_USE;

#endif
