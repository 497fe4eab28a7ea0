/* The frames of the handshake as the device sends and reads them (docs/protocol.md sections 2 and 4). */
#include "proto/device_internal.h"

#include <string.h>

#include <usmp/handshake_hmac.h>
#include <usmp/transcript.h>

#include "crypto/memory.h"
#include "proto/session_internal.h"

/* As SDKs from 1.1.0 on; nobody checks them, and wire 1 never counted. */
static uint32_t seq_of(const struct usmp_device *device, uint32_t on_wire_2)
{
    return device->start.version == USMP_WIRE_2 ? on_wire_2 : 0;
}

/* A frame of ours leaves for the first time; what it answers acknowledges the one before. */
static void send_new(struct usmp_device *device, uint32_t seq, size_t size, uint64_t now)
{
    device->handshake_seq = seq;
    device->frame_size = size;
    device->sends = 0;
    device->acknowledged = false;
    usmp_device_transmit(device, now);
}

void usmp_device_send_hello(struct usmp_device *device, const uint8_t *cookie, uint64_t now)
{
    struct usmp_hello hello = {.has_cookie = cookie != NULL};
    memcpy(hello.device_id, device->start.device_id, sizeof hello.device_id);
    memcpy(hello.public_key, device->public_key, sizeof hello.public_key);
    if (cookie != NULL)
        memcpy(hello.cookie, cookie, sizeof hello.cookie);
    uint32_t seq = seq_of(device, cookie != NULL ? 1 : 0);
    size_t size = usmp_hello_write(device->start.version, seq, &hello, device->frame);
    send_new(device, seq, size, now);
}

static bool is_udp(const struct usmp_device *device)
{
    return device->start.transport == USMP_UDP;
}

static void acknowledge(struct usmp_device *device, const struct usmp_frame *frame)
{
    if (is_udp(device))
        usmp_session_acknowledge_plain(&device->session, frame->type, frame->seq);
}

static enum usmp_session_verdict answer_copy(struct usmp_device *device, const struct usmp_frame *frame)
{
    acknowledge(device, frame);
    return USMP_SESSION_DUPLICATE;
}

static enum usmp_session_verdict refuse(struct usmp_device *device)
{
    return is_udp(device) ? USMP_SESSION_UNEXPECTED : usmp_device_fail(device, USMP_DEVICE_PROTOCOL);
}

static struct usmp_transcript transcript_of(const struct usmp_device *device)
{
    struct usmp_transcript transcript = {.version = device->start.version};
    memcpy(transcript.nonce, device->challenge.nonce, sizeof transcript.nonce);
    memcpy(transcript.device_public, device->public_key, sizeof transcript.device_public);
    memcpy(transcript.gateway_public, device->challenge.public_key, sizeof transcript.gateway_public);
    return transcript;
}

/* One is followed; what may come of a second one that says something else is for the time-out. */
static enum usmp_session_verdict receive_hello_retry(struct usmp_device *device, const struct usmp_frame *frame,
                                                     const struct usmp_hello_retry *hello_retry, uint64_t now)
{
    if (!is_udp(device))
        return refuse(device);
    if (device->state != USMP_DEVICE_HELLO_SENT || device->has_cookie)
        return answer_copy(device, frame);
    acknowledge(device, frame);
    device->has_cookie = true;
    usmp_device_send_hello(device, hello_retry->cookie, now);
    return USMP_SESSION_NOTHING;
}

static bool is_known_challenge(const struct usmp_device *device, const struct usmp_challenge *challenge)
{
    return memcmp(challenge->nonce, device->challenge.nonce, sizeof challenge->nonce) == 0 &&
           memcmp(challenge->public_key, device->challenge.public_key, sizeof challenge->public_key) == 0;
}

static enum usmp_session_verdict receive_challenge(struct usmp_device *device, const struct usmp_frame *frame,
                                                   const struct usmp_challenge *challenge, uint64_t now)
{
    if (device->state != USMP_DEVICE_HELLO_SENT)
        return is_udp(device) && is_known_challenge(device, challenge) ? answer_copy(device, frame) : refuse(device);

    acknowledge(device, frame);
    device->challenge = *challenge;
    device->state = USMP_DEVICE_HELLO_ACK_SENT;
    struct usmp_transcript transcript = transcript_of(device);
    struct usmp_hello_ack hello_ack;
    usmp_device_hmac(&device->start.psk, &transcript, device->start.device_id, hello_ack.hmac);
    uint32_t seq = seq_of(device, 2);
    send_new(device, seq, usmp_hello_ack_write(device->start.version, seq, &hello_ack, device->frame), now);
    return USMP_SESSION_NOTHING;
}

static void wipe_secrets(struct usmp_device *device)
{
    crypto_wipe(device->start.private_key, sizeof device->start.private_key);
    usmp_psk_wipe(&device->start.psk);
}

static enum usmp_session_verdict begin_session(struct usmp_device *device, const struct usmp_transcript *transcript,
                                               uint64_t now)
{
    struct usmp_session_start start = {
        .role = USMP_DEVICE,
        .transport = device->start.transport,
        .version = device->start.version,
        .cipher = device->start.cipher,
        .may_send = true,
    };
    if (usmp_keys_derive(USMP_DEVICE, device->start.private_key, transcript, &start.keys) != USMP_KEYS_DERIVED)
        return usmp_device_fail(device, USMP_DEVICE_BAD_PUBLIC_KEY);
    memcpy(start.session_id, device->session_ok.session_id, sizeof start.session_id);
    usmp_session_begin(&device->session, device->session.owner, device->session.user, &start, now);
    crypto_wipe(&start, sizeof start);
    wipe_secrets(device);
    device->state = USMP_DEVICE_CONNECTED;
    return USMP_SESSION_NOTHING;
}

static enum usmp_session_verdict receive_session_ok(struct usmp_device *device, const struct usmp_frame *frame,
                                                    const struct usmp_session_ok *session_ok, uint64_t now)
{
    if (device->state != USMP_DEVICE_HELLO_ACK_SENT)
        return refuse(device);
    struct usmp_transcript transcript = transcript_of(device);
    if (!usmp_gateway_hmac_matches(&device->start.psk, &transcript, session_ok->session_id, session_ok->hmac)) {
        if (!is_udp(device))
            return usmp_device_fail(device, USMP_DEVICE_WRONG_GATEWAY);
        device->failure = USMP_DEVICE_WRONG_GATEWAY;
        return USMP_SESSION_NOT_AUTHENTIC;
    }
    device->session_ok = *session_ok;
    enum usmp_session_verdict verdict = begin_session(device, &transcript, now);
    if (verdict == USMP_SESSION_NOTHING)
        acknowledge(device, frame);
    return verdict;
}

enum usmp_session_verdict usmp_device_receive_handshake(struct usmp_device *device, const struct usmp_frame *frame,
                                                        uint64_t now)
{
    struct usmp_hello_retry hello_retry;
    struct usmp_challenge challenge;
    struct usmp_session_ok session_ok;
    if (frame->version != device->start.version)
        return refuse(device);
    if (usmp_hello_retry_read(frame, &hello_retry))
        return receive_hello_retry(device, frame, &hello_retry, now);
    if (usmp_challenge_read(frame, &challenge))
        return receive_challenge(device, frame, &challenge, now);
    if (usmp_session_ok_read(frame, &session_ok))
        return receive_session_ok(device, frame, &session_ok, now);
    return refuse(device);
}

static bool is_known_session_ok(const struct usmp_device *device, const struct usmp_session_ok *session_ok)
{
    return memcmp(session_ok->session_id, device->session_ok.session_id, sizeof session_ok->session_id) == 0 &&
           crypto_equal(session_ok->hmac, device->session_ok.hmac, sizeof session_ok->hmac);
}

enum usmp_session_verdict usmp_device_receive_copy(struct usmp_device *device, const struct usmp_frame *frame)
{
    struct usmp_challenge challenge;
    struct usmp_session_ok session_ok;
    struct usmp_hello_retry hello_retry;
    bool is_copy = frame->version == device->start.version &&
                   (usmp_hello_retry_read(frame, &hello_retry) ||
                    (usmp_challenge_read(frame, &challenge) && is_known_challenge(device, &challenge)) ||
                    (usmp_session_ok_read(frame, &session_ok) && is_known_session_ok(device, &session_ok)));
    return is_copy ? answer_copy(device, frame) : USMP_SESSION_UNEXPECTED;
}
