#include "device/device.h"

#include <assert.h>
#include <string.h>

#include "device/inside.h"

static void tell(struct strict_device *device, const struct strict_event *event)
{
    device->owner->tell(device->owner->context, event);
}

void strict_tell_frame(struct strict_device *device, enum strict_event_kind kind, uint8_t type, uint32_t seq)
{
    tell(device, &(struct strict_event){.kind = kind, .type = type, .seq = seq});
}

void strict_end_operation(struct strict_device *device, enum strict_event_kind kind)
{
    struct strict_event event = {.kind = kind};
    if (kind == STRICT_MESSAGE) {
        event.bytes = device->incoming;
        event.size = device->incoming_size;
    }
    device->operation = STRICT_IDLE;
    device->read_deadline = STRICT_NEVER;
    tell(device, &event);
}

void strict_die(struct strict_device *device, enum strict_end end)
{
    device->over = true;
    device->operation = STRICT_IDLE;
    device->transmission.waits = false;
    device->written = false;
    tell(device, &(struct strict_event){.kind = STRICT_OVER, .end = end});
}

/* One datagram for whoever waits, as the C core takes it: the slot first. */
static bool datagram_step(struct strict_device *device)
{
    struct strict_datagram datagram;
    if (device->transmission.waits) {
        if (!strict_mailbox_take_queue(&device->mailbox, &datagram))
            return false;
        strict_datagram_while_sending(device, &datagram);
        return true;
    }
    if (!strict_mailbox_take_slot(&device->mailbox, &datagram) &&
        !strict_mailbox_take_queue(&device->mailbox, &datagram))
        return false;
    strict_datagram_read(device, &datagram);
    return true;
}

static bool step(struct strict_device *device)
{
    if (device->over || device->operation == STRICT_IDLE)
        return false;
    if (device->written) {
        device->written = false;
        strict_transmitted(device);
        return true;
    }
    if (device->transport == STRICT_UDP)
        return datagram_step(device);
    return strict_waits_for_frame(device) && strict_stream_step(device);
}

void strict_pump(struct strict_device *device)
{
    while (step(device))
        continue;
}

static void begin_again(struct strict_device *device, uint64_t now)
{
    device->now = now;
    device->over = false;
    device->connected = false;
    device->written = false;
    device->transmission.waits = false;
    device->last_handshake_type = 0;
    device->window = (struct strict_window){0};
    device->read_deadline = STRICT_NEVER;
    device->stream_size = 0;
    device->stream_closed = false;
    strict_mailbox_clear(&device->mailbox, device->mailbox.queue_room);
    strict_handshake_begin(device);
    strict_pump(device);
}

void strict_device_begin(struct strict_device *device, const struct strict_owner *owner,
                         const struct strict_start *start, uint64_t now)
{
    assert(start->psk_size > 0 && start->psk_size <= STRICT_PSK_MAX);
    assert(start->transport == STRICT_TCP || start->era->has_udp);
    assert(start->cipher == STRICT_AES_256_GCM || start->era->has_rekey);
    memset(device, 0, sizeof *device);
    device->era = start->era;
    device->port = start->port;
    device->owner = owner;
    device->transport = start->transport;
    device->cipher = start->cipher;
    memcpy(device->id, start->id, sizeof device->id);
    memcpy(device->psk, start->psk, start->psk_size);
    device->psk_size = start->psk_size;
    strict_mailbox_clear(&device->mailbox, start->socket_queue);
    strict_transmission_reset(&device->transmission, start->era);
    begin_again(device, now);
}

void strict_device_restart(struct strict_device *device, uint64_t now)
{
    assert(device->over);
    if (device->connected && device->era->keeps_old_keys) {
        memcpy(device->old_receive_key, device->keys.receive, sizeof device->old_receive_key);
        device->has_old_keys = true;
    }
    begin_again(device, now);
}

void strict_device_wipe(struct strict_device *device)
{
    strict_wipe(device, sizeof *device);
    device->over = true;
}

void strict_device_datagram(struct strict_device *device, const uint8_t *bytes, size_t size, uint64_t now)
{
    struct strict_datagram datagram = {.size = size < STRICT_FRAME_MAX ? size : STRICT_FRAME_MAX};
    if (device->over)
        return;
    device->now = now;
    if (datagram.size > 0)
        memcpy(datagram.bytes, bytes, datagram.size);
    if (device->transmission.waits)
        strict_datagram_while_sending(device, &datagram);
    else if (strict_waits_for_frame(device))
        strict_datagram_read(device, &datagram);
    else
        strict_datagram_waits(device, &datagram);
    strict_pump(device);
}

static void stream_moved(struct strict_device *device)
{
    if (strict_waits_for_frame(device))
        device->read_deadline = device->now + device->era->stall_max;
    strict_pump(device);
    if (device->operation == STRICT_HANDSHAKE && device->stream_size == 0)
        device->read_deadline = STRICT_NEVER;
}

size_t strict_device_stream(struct strict_device *device, const uint8_t *bytes, size_t size, uint64_t now)
{
    size_t room = sizeof device->stream - device->stream_size;
    size_t taken = size < room ? size : room;
    if (device->over)
        return size;
    if (taken == 0)
        return 0;
    device->now = now;
    memcpy(device->stream + device->stream_size, bytes, taken);
    device->stream_size += taken;
    stream_moved(device);
    return taken;
}

void strict_device_stream_closed(struct strict_device *device, uint64_t now)
{
    if (device->over)
        return;
    device->now = now;
    device->stream_closed = true;
    strict_pump(device);
}

uint64_t strict_device_deadline(const struct strict_device *device)
{
    if (device->over || device->operation == STRICT_IDLE)
        return STRICT_NEVER;
    if (device->transmission.waits)
        return device->transmission.deadline;
    if (device->operation == STRICT_HANDSHAKE && device->handshake_deadline < device->read_deadline)
        return device->handshake_deadline;
    return device->read_deadline;
}

static void repeat_or_give_up(struct strict_device *device)
{
    struct strict_transmission *transmission = &device->transmission;
    if (!strict_transmission_again(transmission, device->era, device->now)) {
        strict_gave_up(device);
        return;
    }
    device->owner->send(device->owner->context, transmission->bytes, transmission->size);
    strict_tell_frame(device, STRICT_REPEATED, transmission->type, transmission->seq);
}

void strict_device_advance(struct strict_device *device, uint64_t now)
{
    bool due = strict_device_deadline(device) <= now;
    device->now = now;
    if (!due)
        return;
    if (device->transmission.waits)
        repeat_or_give_up(device);
    else if (device->operation == STRICT_HANDSHAKE && device->handshake_deadline <= now)
        strict_die(device, STRICT_END_TIMED_OUT);
    else if (device->transport == STRICT_TCP)
        strict_stream_stalled(device);
    else
        strict_receive_next(device);
    strict_pump(device);
}

bool strict_device_has_input(struct strict_device *device, uint64_t now)
{
    device->now = now;
    if (device->over)
        return false;
    if (device->transport == STRICT_TCP)
        return device->stream_size > 0 || device->stream_closed;
    return strict_datagram_is_there(device);
}
