#include <string.h>

#include "device/inside.h"

#define COOKIE_SIZE 16u
#define HELLO_SIZE (STRICT_DEVICE_ID_SIZE + STRICT_KEY_SIZE)
#define CHALLENGE_SIZE (2 * STRICT_KEY_SIZE)
#define SESSION_OK_SIZE (STRICT_SESSION_ID_SIZE + STRICT_HMAC_SIZE)

static uint32_t number(const struct strict_device *device, uint32_t seq)
{
    return device->era->numbers_handshake ? seq : 0;
}

static void send_hello(struct strict_device *device, const uint8_t *cookie, size_t cookie_size)
{
    uint8_t payload[HELLO_SIZE + COOKIE_SIZE];
    memcpy(payload, device->id, STRICT_DEVICE_ID_SIZE);
    memcpy(payload + STRICT_DEVICE_ID_SIZE, device->handshake.public_key, STRICT_KEY_SIZE);
    if (cookie_size > 0)
        memcpy(payload + HELLO_SIZE, cookie, cookie_size);
    strict_transmit(device, STRICT_TYPE_HELLO, number(device, cookie_size > 0), payload, HELLO_SIZE + cookie_size);
}

void strict_handshake_begin(struct strict_device *device)
{
    struct strict_handshake_secrets *handshake = &device->handshake;
    device->operation = STRICT_HANDSHAKE;
    device->cookie_sent = false;
    device->challenged = false;
    device->handshake_deadline = STRICT_NEVER;
    device->owner->random(device->owner->context, handshake->private_key, sizeof handshake->private_key);
    strict_public_key(handshake->private_key, handshake->public_key);
    send_hello(device, NULL, 0);
}

void strict_handshake_waits(struct strict_device *device)
{
    uint64_t wait = device->era->handshake_wait;
    device->handshake_deadline = wait == 0 ? STRICT_NEVER : device->now + wait;
}

static void answer_challenge(struct strict_device *device, const struct strict_frame *frame)
{
    struct strict_handshake_secrets *handshake = &device->handshake;
    uint8_t hmac[STRICT_HMAC_SIZE];
    memcpy(handshake->nonce, frame->payload, STRICT_KEY_SIZE);
    memcpy(handshake->gateway_key, frame->payload + STRICT_KEY_SIZE, STRICT_KEY_SIZE);
    if (!strict_session_keys_derive(device->era->version, handshake, &device->keys)) {
        strict_die(device, STRICT_END_BAD_GATEWAY);
        return;
    }
    strict_handshake_hmac(device->psk, device->psk_size, device->era->version, STRICT_TYPE_HELLO_ACK, handshake,
                          device->id, sizeof device->id, hmac);
    device->challenged = true;
    device->handshake_deadline = STRICT_NEVER;
    strict_transmit(device, STRICT_TYPE_HELLO_ACK, number(device, 2), hmac, sizeof hmac);
}

static void repeat_with_cookie(struct strict_device *device, const struct strict_frame *frame)
{
    device->cookie_sent = true;
    device->handshake_deadline = STRICT_NEVER;
    send_hello(device, frame->payload, frame->size);
}

static void take_session(struct strict_device *device, const struct strict_frame *frame)
{
    uint8_t expected[STRICT_HMAC_SIZE];
    strict_handshake_hmac(device->psk, device->psk_size, device->era->version, STRICT_TYPE_SESSION_OK,
                          &device->handshake, frame->payload, STRICT_SESSION_ID_SIZE, expected);
    if (!strict_equal(expected, frame->payload + STRICT_SESSION_ID_SIZE, sizeof expected)) {
        strict_die(device, STRICT_END_BAD_GATEWAY);
        return;
    }
    memcpy(device->session_id, frame->payload, STRICT_SESSION_ID_SIZE);
    strict_wipe(&device->handshake, sizeof device->handshake);
    device->has_old_keys = false;
    device->next_seq = 0;
    device->window = (struct strict_window){0};
    device->connected = true;
    strict_end_operation(device, STRICT_CONNECTED);
}

void strict_handshake_frame(struct strict_device *device, const struct strict_frame *frame)
{
    if (device->challenged) {
        if (frame->type == STRICT_TYPE_SESSION_OK && frame->size == SESSION_OK_SIZE)
            take_session(device, frame);
        else
            strict_die(device, STRICT_END_UNEXPECTED_FRAME);
    } else if (frame->type == STRICT_TYPE_CHALLENGE && frame->size == CHALLENGE_SIZE) {
        answer_challenge(device, frame);
    } else if (frame->type == STRICT_TYPE_HELLO_RETRY && frame->size == COOKIE_SIZE && !device->cookie_sent &&
               device->era->version > 1) {
        repeat_with_cookie(device, frame);
    } else {
        strict_die(device, STRICT_END_UNEXPECTED_FRAME);
    }
}
