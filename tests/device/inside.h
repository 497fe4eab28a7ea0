/* What the files of a strict device are to each other. An operation is a chain of steps, each of which ends by sending a
 * frame (strict_transmit) or by waiting for one; strict_pump() goes on with it as far as what is there allows. */
#ifndef TESTS_DEVICE_INSIDE_H
#define TESTS_DEVICE_INSIDE_H

#include "device/device.h"

#define STRICT_NEVER UINT64_MAX

/* device.c */
void strict_pump(struct strict_device *device);
void strict_tell(struct strict_device *device, enum strict_event_kind kind);
void strict_tell_frame(struct strict_device *device, enum strict_event_kind kind, uint8_t type, uint32_t seq);
void strict_end_operation(struct strict_device *device, enum strict_event_kind kind);
void strict_die(struct strict_device *device, enum strict_end end);

/* outgoing.c */
/* Sends a frame; strict_transmitted() hears when it is acknowledged, or at once over TCP. */
void strict_transmit(struct strict_device *device, uint8_t type, uint32_t seq, const uint8_t *payload, size_t size);
void strict_transmit_sealed(struct strict_device *device, uint8_t type, const uint8_t *plain, size_t size);
void strict_transmit_next_fragment(struct strict_device *device);
void strict_transmitted(struct strict_device *device);
void strict_gave_up(struct strict_device *device);

/* handshake.c */
void strict_handshake_begin(struct strict_device *device);
void strict_handshake_waits(struct strict_device *device);
void strict_handshake_frame(struct strict_device *device, const struct strict_frame *frame);

/* receive.c: the receive call. */
void strict_receive_begin(struct strict_device *device);
void strict_receive_next(struct strict_device *device);
void strict_receive_frame(struct strict_device *device, const struct strict_frame *frame);
/* The bytes are no frame. */
void strict_receive_rubbish(struct strict_device *device);
/* After a control frame, its answer included. */
void strict_receive_after_control(struct strict_device *device);

/* datagram.c: UDP, one datagram that the device takes while it waits for a frame, or for a UTACK. */
void strict_datagram_read(struct strict_device *device, const struct strict_datagram *datagram);
void strict_datagram_while_sending(struct strict_device *device, const struct strict_datagram *datagram);
/* One that comes while the device does neither. */
void strict_datagram_waits(struct strict_device *device, const struct strict_datagram *datagram);
bool strict_datagram_is_there(struct strict_device *device);

/* stream.c: TCP. False: no frame is there. */
bool strict_stream_step(struct strict_device *device);
void strict_stream_stalled(struct strict_device *device);

static inline bool strict_waits_for_frame(const struct strict_device *device)
{
    return !device->over && !device->transmission.waits &&
           (device->operation == STRICT_HANDSHAKE || device->operation == STRICT_READING);
}

#endif
