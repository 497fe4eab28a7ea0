#include <usmp/device.h>

#include <assert.h>

#include <usmp/keys.h>
#include <usmp/utack.h>

#include "crypto/memory.h"
#include "proto/device_internal.h"
#include "proto/session_internal.h"

void usmp_device_begin(struct usmp_device *device, const struct usmp_session_owner *owner, void *user,
                       const struct usmp_device_start *start, uint64_t now)
{
    assert(start->version == USMP_WIRE_1 || start->version == USMP_WIRE_2);
    *device = (struct usmp_device){
        .state = USMP_DEVICE_HELLO_SENT,
        .failure = USMP_DEVICE_NO_FAILURE,
        .start = *start,
        .session = {.owner = owner, .user = user},
        .give_up_at = now + start->give_up_after,
    };
    usmp_public_key(start->private_key, device->public_key);
    usmp_device_send_hello(device, NULL, now);
}

void usmp_device_wipe(struct usmp_device *device)
{
    usmp_session_wipe(&device->session);
    crypto_wipe(device, sizeof *device);
}

void usmp_device_transmit(struct usmp_device *device, uint64_t now)
{
    device->sends++;
    device->due = now + USMP_DEVICE_REPEAT_AFTER;
    usmp_session_emit(&device->session, USMP_SEND_FRAME, device->frame, device->frame_size);
}

enum usmp_session_verdict usmp_device_fail(struct usmp_device *device, enum usmp_device_failure failure)
{
    device->state = USMP_DEVICE_FAILED;
    device->failure = failure;
    return USMP_SESSION_OVER;
}

static bool is_over_udp(const struct usmp_device *device)
{
    return device->start.transport == USMP_UDP;
}

enum usmp_session_verdict usmp_device_receive(struct usmp_device *device, const struct usmp_frame *frame,
                                              uint8_t *scratch, uint64_t now)
{
    switch (device->state) {
    case USMP_DEVICE_HELLO_SENT:
    case USMP_DEVICE_HELLO_ACK_SENT:
        return usmp_device_receive_handshake(device, frame, now);
    case USMP_DEVICE_CONNECTED:
        if (is_over_udp(device) && !usmp_type_is_encrypted(frame->type))
            return usmp_device_receive_copy(device, frame);
        return usmp_session_receive(&device->session, frame, scratch, now);
    case USMP_DEVICE_FAILED:
        break;
    }
    return USMP_SESSION_UNEXPECTED;
}

enum usmp_session_verdict usmp_device_receive_utack(struct usmp_device *device, const uint8_t *bytes, size_t size,
                                                    uint64_t now)
{
    if (device->state == USMP_DEVICE_CONNECTED)
        return usmp_session_receive_utack(&device->session, bytes, size, now);
    struct usmp_utack utack;
    uint8_t type = device->state == USMP_DEVICE_HELLO_SENT ? USMP_HELLO : USMP_HELLO_ACK;
    if (device->state == USMP_DEVICE_FAILED || !is_over_udp(device) || !usmp_utack_read(bytes, size, &utack) ||
        utack.type != type || utack.seq != device->handshake_seq)
        return USMP_SESSION_UNEXPECTED;
    device->acknowledged = true;
    return USMP_SESSION_NOTHING;
}

static bool repeats(const struct usmp_device *device)
{
    return is_over_udp(device) && !device->acknowledged;
}

uint64_t usmp_device_deadline(const struct usmp_device *device)
{
    switch (device->state) {
    case USMP_DEVICE_HELLO_SENT:
    case USMP_DEVICE_HELLO_ACK_SENT:
        return repeats(device) && device->due < device->give_up_at ? device->due : device->give_up_at;
    case USMP_DEVICE_CONNECTED:
        return usmp_session_deadline(&device->session);
    case USMP_DEVICE_FAILED:
        break;
    }
    return USMP_NEVER;
}

static enum usmp_session_verdict give_up(struct usmp_device *device)
{
    bool knows_better = device->failure != USMP_DEVICE_NO_FAILURE;
    return usmp_device_fail(device, knows_better ? device->failure : USMP_DEVICE_NO_ANSWER);
}

enum usmp_session_verdict usmp_device_advance(struct usmp_device *device, uint64_t now)
{
    if (device->state == USMP_DEVICE_CONNECTED)
        return usmp_session_advance(&device->session, now);
    if (device->state == USMP_DEVICE_FAILED)
        return USMP_SESSION_NOTHING;
    if (now >= device->give_up_at)
        return give_up(device);
    if (!repeats(device) || now < device->due)
        return USMP_SESSION_NOTHING;
    if (device->sends >= USMP_DEVICE_SENDS_MAX)
        return give_up(device);
    usmp_device_transmit(device, now);
    return USMP_SESSION_NOTHING;
}
