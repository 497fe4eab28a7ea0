#include <string.h>

#include "device/inside.h"

#define PLAIN_MAX (STRICT_PAYLOAD_MAX - STRICT_SEALED_EXTRA)

void strict_transmit(struct strict_device *device, uint8_t type, uint32_t seq, const uint8_t *payload, size_t size)
{
    struct strict_transmission *transmission = &device->transmission;
    transmission->type = type;
    transmission->seq = seq;
    transmission->size = strict_frame_write(device->era->version, type, seq, payload, size, transmission->bytes);
    device->last_sent = device->now;
    device->owner->send(device->owner->context, transmission->bytes, transmission->size);
    if (device->transport == STRICT_TCP)
        device->written = true;
    else
        strict_transmission_begin(transmission, device->era, device->now);
}

void strict_transmit_sealed(struct strict_device *device, uint8_t type, const uint8_t *plain, size_t size)
{
    uint8_t aad[STRICT_AAD_SIZE];
    uint8_t sealed[STRICT_PAYLOAD_MAX];
    if (device->next_seq == UINT32_MAX) {
        strict_die(device, STRICT_END_SEQ_SPENT);
        return;
    }
    if (device->stream_closed) {
        strict_die(device, STRICT_END_STREAM_CLOSED);
        return;
    }
    strict_frame_header(device->era->version, type, device->next_seq, size + STRICT_SEALED_EXTRA, aad);
    strict_seal(device->cipher, device->keys.send, device->session_id, device->next_seq, aad, sizeof aad, plain, size,
                sealed);
    strict_transmit(device, type, device->next_seq, sealed, size + STRICT_SEALED_EXTRA);
}

void strict_transmit_next_fragment(struct strict_device *device)
{
    size_t left = device->outgoing_size - device->outgoing_sent;
    bool last = left <= PLAIN_MAX;
    const uint8_t *plain = device->outgoing + device->outgoing_sent;
    device->outgoing_sent += last ? left : PLAIN_MAX;
    strict_transmit_sealed(device, last ? STRICT_TYPE_DATA : STRICT_TYPE_DATA_FRAG, plain, last ? left : PLAIN_MAX);
}

static void use_new_keys(struct strict_device *device)
{
    strict_session_keys_renew(&device->keys, device->salt, device->session_id);
    strict_wipe(device->salt, sizeof device->salt);
    device->next_seq = 0;
    device->window = (struct strict_window){0};
    strict_end_operation(device, STRICT_SENT);
}

void strict_transmitted(struct strict_device *device)
{
    if (device->connected)
        device->next_seq++;
    switch (device->operation) {
    case STRICT_HANDSHAKE:
        strict_handshake_waits(device);
        break;
    case STRICT_SENDING:
        if (device->outgoing_sent < device->outgoing_size)
            strict_transmit_next_fragment(device);
        else
            strict_end_operation(device, STRICT_SENT);
        break;
    case STRICT_PINGING:
        strict_end_operation(device, STRICT_SENT);
        break;
    case STRICT_REKEYING:
        use_new_keys(device);
        break;
    case STRICT_READING:
        strict_receive_after_control(device);
        break;
    case STRICT_CLOSING:
        device->over = true;
        strict_end_operation(device, STRICT_CLOSED);
        break;
    case STRICT_IDLE:
        break;
    }
}

void strict_gave_up(struct strict_device *device)
{
    if (device->operation == STRICT_CLOSING) {
        device->over = true;
        strict_end_operation(device, STRICT_CLOSED);
    } else if (device->operation == STRICT_SENDING && device->era->reuses_seq && !device->port->gives_up_on_failure) {
        strict_end_operation(device, STRICT_UNSENT);
    } else {
        strict_die(device, STRICT_END_GAVE_UP);
    }
}
