#include "vectors/replay/transcript.h"

#include <string.h>

static bool read_keys(struct replay *replay)
{
    struct replay_report *report = replay->report;
    const json_t *transcript = replay->transcript;
    if (replay->seen.version == USMP_WIRE_2)
        return replay_bytes(report, transcript, "device_to_gateway_key", replay->keys.device_to_gateway,
                            USMP_KEY_SIZE) &&
               replay_bytes(report, transcript, "gateway_to_device_key", replay->keys.gateway_to_device, USMP_KEY_SIZE);
    if (!replay_bytes(report, transcript, "session_key", replay->keys.device_to_gateway, USMP_KEY_SIZE))
        return false;
    memcpy(replay->keys.gateway_to_device, replay->keys.device_to_gateway, USMP_KEY_SIZE);
    return true;
}

static bool read_psk(struct replay *replay)
{
    uint8_t psk[REPLAY_PSK_MAX];
    size_t size = 0;
    if (!replay_bytes_up_to(replay->report, replay->transcript, "psk", psk, sizeof psk, &size))
        return false;
    usmp_psk_init(&replay->psk, psk, size);
    return true;
}

static bool read_inputs(struct replay *replay)
{
    struct replay_report *report = replay->report;
    const json_t *transcript = replay->transcript;
    uint32_t version = 0;
    if (!json_is_object(transcript))
        return replay_report_differs(report, "is not an object");
    if (!replay_number(report, transcript, "wire_version", UINT8_MAX, &version))
        return false;
    if (version != USMP_WIRE_1 && version != USMP_WIRE_2)
        return replay_report_differs(report, "there is no wire %u", version);
    replay->seen.version = (uint8_t)version;
    if (!read_psk(replay) || !read_keys(replay) ||
        !replay_bytes(report, transcript, "device_id", replay->device_id, sizeof replay->device_id) ||
        !replay_bytes(report, transcript, "device_private_key", replay->device_private, USMP_PRIVATE_KEY_SIZE) ||
        !replay_bytes(report, transcript, "gateway_private_key", replay->gateway_private, USMP_PRIVATE_KEY_SIZE) ||
        !replay_bytes(report, transcript, "nonce", replay->seen.nonce, sizeof replay->seen.nonce) ||
        !replay_bytes(report, transcript, "session_id", replay->session_id, sizeof replay->session_id))
        return false;
    usmp_public_key(replay->device_private, replay->seen.device_public);
    usmp_public_key(replay->gateway_private, replay->seen.gateway_public);
    return true;
}

bool replay_transcript(const json_t *transcript, struct replay_report *report)
{
    struct replay replay = {.report = report, .transcript = transcript};
    *report = (struct replay_report){0};
    replay_report_at(report, "transcript");
    return read_inputs(&replay) && replay_handshake(&replay) && replay_session(&replay) && replay_utacks(&replay);
}
