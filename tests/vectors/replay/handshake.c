/* docs/protocol.md section 2: each message is made from what its sender has, and checked with what its receiver has. */
#include "vectors/replay/transcript.h"

#include <string.h>

#include <usmp/handshake_hmac.h>
#include <usmp/handshake_messages.h>

#define MESSAGES 4

/* A recorded frame of the handshake. */
struct recorded {
    uint8_t bytes[USMP_FRAME_MAX];
    size_t size;
    struct usmp_frame frame;
};

static bool read_frame(const struct replay *replay, const json_t *entry, const char *from, uint8_t type,
                       struct recorded *recorded)
{
    struct replay_report *report = replay->report;
    const char *recorded_from = NULL;
    if (!json_is_object(entry))
        return replay_report_differs(report, "is not an object");
    if (!replay_text(report, entry, "from", &recorded_from) ||
        !replay_bytes_up_to(report, entry, "frame", recorded->bytes, sizeof recorded->bytes, &recorded->size))
        return false;
    if (strcmp(recorded_from, from) != 0)
        return replay_report_differs(report, "%s is from the %s", usmp_type_name(type), from);

    enum usmp_frame_verdict verdict = usmp_frame_parse_datagram(recorded->bytes, recorded->size, &recorded->frame);
    if (verdict != USMP_FRAME_COMPLETE)
        return replay_report_differs(report, "the frame is refused: %s", usmp_frame_verdict_name(verdict));
    if (recorded->frame.type != type)
        return replay_report_differs(report, "%s is recorded where %s is due", usmp_type_name(recorded->frame.type),
                                     usmp_type_name(type));
    report->handshake_frames++;
    return true;
}

static bool same_frame(const struct replay *replay, const struct recorded *recorded, const uint8_t *made,
                       size_t made_size)
{
    return replay_report_same(replay->report, "the frame", recorded->bytes, recorded->size, made, made_size);
}

/* The seq of a device's frame is the habit of its SDK: taken as it comes. A gateway's is 0. */

static bool replay_hello(const struct replay *replay, const struct recorded *recorded)
{
    uint8_t made[USMP_HELLO_COOKIE_FRAME];
    struct usmp_hello hello = {.has_cookie = false};
    memcpy(hello.device_id, replay->device_id, sizeof hello.device_id);
    memcpy(hello.public_key, replay->seen.device_public, sizeof hello.public_key);
    size_t size = usmp_hello_write(replay->seen.version, recorded->frame.seq, &hello, made);
    if (!same_frame(replay, recorded, made, size))
        return false;

    struct usmp_hello received;
    if (!usmp_hello_read(&recorded->frame, &received) || received.has_cookie)
        return replay_report_differs(replay->report, "the gateway reads no plain HELLO");
    return replay_report_same(replay->report, "the id that the gateway reads", received.device_id,
                              sizeof received.device_id, replay->device_id, sizeof replay->device_id) &&
           replay_report_same(replay->report, "the public key that the gateway reads", received.public_key,
                              sizeof received.public_key, replay->seen.device_public, USMP_PUBLIC_KEY_SIZE);
}

static bool replay_challenge(const struct replay *replay, const struct recorded *recorded)
{
    uint8_t made[USMP_CHALLENGE_FRAME];
    struct usmp_challenge challenge;
    memcpy(challenge.nonce, replay->seen.nonce, sizeof challenge.nonce);
    memcpy(challenge.public_key, replay->seen.gateway_public, sizeof challenge.public_key);
    size_t size = usmp_challenge_write(replay->seen.version, 0, &challenge, made);
    if (!same_frame(replay, recorded, made, size))
        return false;

    struct usmp_challenge received;
    if (!usmp_challenge_read(&recorded->frame, &received))
        return replay_report_differs(replay->report, "the device reads no CHALLENGE");
    return replay_report_same(replay->report, "the nonce that the device reads", received.nonce, sizeof received.nonce,
                              replay->seen.nonce, sizeof replay->seen.nonce) &&
           replay_report_same(replay->report, "the public key that the device reads", received.public_key,
                              sizeof received.public_key, replay->seen.gateway_public, USMP_PUBLIC_KEY_SIZE);
}

static bool replay_hello_ack(const struct replay *replay, const struct recorded *recorded)
{
    uint8_t made[USMP_HELLO_ACK_FRAME];
    struct usmp_hello_ack hello_ack;
    usmp_device_hmac(&replay->psk, &replay->seen, replay->device_id, hello_ack.hmac);
    size_t size = usmp_hello_ack_write(replay->seen.version, recorded->frame.seq, &hello_ack, made);
    if (!same_frame(replay, recorded, made, size))
        return false;

    struct usmp_hello_ack received;
    if (!usmp_hello_ack_read(&recorded->frame, &received) ||
        !usmp_device_hmac_matches(&replay->psk, &replay->seen, replay->device_id, received.hmac))
        return replay_report_differs(replay->report, "the gateway refuses the device's HMAC");
    return true;
}

static bool replay_session_ok(const struct replay *replay, const struct recorded *recorded)
{
    uint8_t made[USMP_SESSION_OK_FRAME];
    struct usmp_session_ok session_ok;
    memcpy(session_ok.session_id, replay->session_id, sizeof session_ok.session_id);
    usmp_gateway_hmac(&replay->psk, &replay->seen, replay->session_id, session_ok.hmac);
    size_t size = usmp_session_ok_write(replay->seen.version, 0, &session_ok, made);
    if (!same_frame(replay, recorded, made, size))
        return false;

    struct usmp_session_ok received;
    if (!usmp_session_ok_read(&recorded->frame, &received) ||
        !usmp_gateway_hmac_matches(&replay->psk, &replay->seen, received.session_id, received.hmac))
        return replay_report_differs(replay->report, "the device refuses the gateway's HMAC");
    return replay_report_same(replay->report, "the session id that the device reads", received.session_id,
                              sizeof received.session_id, replay->session_id, sizeof replay->session_id);
}

static bool derive(const struct replay *replay, enum usmp_role role, const char *name, const uint8_t *private_key)
{
    struct usmp_keys keys;
    if (usmp_keys_derive(role, private_key, &replay->seen, &keys) != USMP_KEYS_DERIVED)
        return replay_report_differs(replay->report, "the %s refuses the other's public key", name);
    char what[64];
    (void)snprintf(what, sizeof what, "device to gateway, derived by the %s,", name);
    if (!replay_report_same(replay->report, what, replay->keys.device_to_gateway, USMP_KEY_SIZE, keys.device_to_gateway,
                            USMP_KEY_SIZE))
        return false;
    (void)snprintf(what, sizeof what, "gateway to device, derived by the %s,", name);
    return replay_report_same(replay->report, what, replay->keys.gateway_to_device, USMP_KEY_SIZE,
                              keys.gateway_to_device, USMP_KEY_SIZE);
}

bool replay_handshake(const struct replay *replay)
{
    static const struct {
        const char *from;
        uint8_t type;
        bool (*replay)(const struct replay *replay, const struct recorded *recorded);
    } messages[MESSAGES] = {
        {"device", USMP_HELLO, replay_hello},
        {"gateway", USMP_CHALLENGE, replay_challenge},
        {"device", USMP_HELLO_ACK, replay_hello_ack},
        {"gateway", USMP_SESSION_OK, replay_session_ok},
    };
    const json_t *list = NULL;
    if (!replay_list(replay->report, replay->transcript, "handshake", &list))
        return false;
    if (json_array_size(list) != MESSAGES)
        return replay_report_differs(replay->report, "handshake has %zu frames, not 4", json_array_size(list));
    for (size_t i = 0; i < MESSAGES; i++) {
        struct recorded recorded = {.size = 0};
        replay_report_at(replay->report, "handshake[%zu]", i);
        if (!read_frame(replay, json_array_get(list, i), messages[i].from, messages[i].type, &recorded) ||
            !messages[i].replay(replay, &recorded))
            return false;
    }
    replay_report_at(replay->report, "keys");
    return derive(replay, USMP_DEVICE, "device", replay->device_private) &&
           derive(replay, USMP_GATEWAY, "gateway", replay->gateway_private);
}
