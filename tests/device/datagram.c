/* UDP: how a datagram is acknowledged, kept, or taken for a copy, before anybody looks whether it is authentic. */
#include "device/inside.h"

#include <string.h>

static uint8_t type_of(const struct strict_datagram *datagram)
{
    return datagram->bytes[3];
}

static uint32_t seq_of(const struct strict_datagram *datagram)
{
    return strict_read_u32(datagram->bytes + 4);
}

static bool is_utack(const struct strict_datagram *datagram)
{
    return strict_is_utack(datagram->bytes, datagram->size);
}

static void lose(struct strict_device *device, const struct strict_datagram *datagram)
{
    strict_tell_frame(device, STRICT_LOST, type_of(datagram), seq_of(datagram));
}

static void acknowledge(struct strict_device *device, uint8_t type, uint32_t seq)
{
    uint8_t utack[STRICT_UTACK_FULL];
    bool sealed = type >= STRICT_TYPE_DATA && device->era->version > 1 && (device->connected || device->has_old_keys);
    strict_utack_write(type, seq, utack);
    if (sealed)
        strict_utack_mac(device->connected ? device->keys.receive : device->old_receive_key, utack,
                         utack + STRICT_UTACK_PLAIN);
    device->owner->send(device->owner->context, utack, sealed ? STRICT_UTACK_FULL : STRICT_UTACK_PLAIN);
}

static bool is_copy_of_handshake(struct strict_device *device, uint8_t type)
{
    uint8_t last = device->last_handshake_type;
    bool is_handshake = type < STRICT_TYPE_DATA;
    bool copy = false;
    switch (device->era->copies) {
    case STRICT_COPIES_TAKEN:
        return false;
    case STRICT_COPIES_BELOW_5:
        copy = is_handshake && last > 0 && type <= last;
        break;
    case STRICT_COPIES_OF_ANY_TYPE:
        is_handshake = is_handshake || type == STRICT_TYPE_HELLO_RETRY;
        copy = is_handshake && (type == last || (type == STRICT_TYPE_HELLO_RETRY && last > 0) ||
                                (type == STRICT_TYPE_CHALLENGE && last == STRICT_TYPE_SESSION_OK));
        break;
    }
    if (is_handshake && !copy)
        device->last_handshake_type = type;
    return copy;
}

/* On wire 1 a frame that has come is one that was had, authentic or not. */
static bool is_behind(struct strict_device *device, uint8_t type, uint32_t seq)
{
    if (!device->era->only_forward || type < STRICT_TYPE_DATA)
        return false;
    if (device->era->version > 1)
        return device->window.seen != 0 && seq <= device->window.highest;
    if (device->window.seen != 0 && seq <= device->window.highest)
        return true;
    strict_window_note(&device->window, seq);
    return false;
}

void strict_datagram_read(struct strict_device *device, const struct strict_datagram *datagram)
{
    struct strict_frame frame;
    if (is_utack(datagram) || !strict_has_magic(datagram->bytes, datagram->size))
        return;
    acknowledge(device, type_of(datagram), seq_of(datagram));
    if (is_copy_of_handshake(device, type_of(datagram)) || is_behind(device, type_of(datagram), seq_of(datagram)))
        return;
    bool whole = strict_frame_read(datagram->bytes, datagram->size, device->era->version, &frame);
    if (device->operation == STRICT_HANDSHAKE) {
        if (whole)
            strict_handshake_frame(device, &frame);
        else
            strict_die(device, STRICT_END_BAD_FRAME);
    } else if (whole) {
        strict_receive_frame(device, &frame);
    } else {
        strict_receive_rubbish(device);
    }
}

static bool answers(const struct strict_device *device, const struct strict_datagram *datagram)
{
    const struct strict_transmission *transmission = &device->transmission;
    uint8_t mac[STRICT_UTACK_MAC];
    if (datagram->bytes[2] != transmission->type || strict_read_u32(datagram->bytes + 3) != transmission->seq)
        return false;
    if (transmission->type < STRICT_TYPE_DATA || device->era->version == 1)
        return true;
    strict_utack_mac(device->keys.send, datagram->bytes, mac);
    return datagram->size >= STRICT_UTACK_FULL && strict_equal(mac, datagram->bytes + STRICT_UTACK_PLAIN, sizeof mac);
}

static void keep(struct strict_device *device, const struct strict_datagram *datagram)
{
    if (datagram->size >= STRICT_HEADER_SIZE && !strict_mailbox_keep(&device->mailbox, datagram->bytes, datagram->size))
        lose(device, datagram);
}

void strict_datagram_while_sending(struct strict_device *device, const struct strict_datagram *datagram)
{
    if (!is_utack(datagram)) {
        keep(device, datagram);
    } else if (answers(device, datagram)) {
        strict_transmission_done(&device->transmission, device->era, device->now);
        device->written = true;
    }
}

void strict_datagram_waits(struct strict_device *device, const struct strict_datagram *datagram)
{
    if (device->mailbox.queue_room == 0) {
        if (!is_utack(datagram))
            keep(device, datagram);
    } else if (!strict_mailbox_queue(&device->mailbox, datagram->bytes, datagram->size)) {
        lose(device, datagram);
    }
}

bool strict_datagram_is_there(struct strict_device *device)
{
    struct strict_datagram datagram;
    if (device->mailbox.slot_full)
        return true;
    if (!device->port->stages_datagrams)
        return device->mailbox.queue_count > 0;
    if (!device->era->sees_queue || !strict_mailbox_take_queue(&device->mailbox, &datagram) || is_utack(&datagram) ||
        !strict_has_magic(datagram.bytes, datagram.size))
        return false;
    return strict_mailbox_keep(&device->mailbox, datagram.bytes, datagram.size);
}
