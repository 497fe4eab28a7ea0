/* What the files of the device's side share; usmp/device.h is the contract. */
#ifndef PROTO_DEVICE_INTERNAL_H
#define PROTO_DEVICE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/device.h>

#define USMP_DEVICE_REPEAT_AFTER 500000u /* microseconds */
#define USMP_DEVICE_SENDS_MAX 5u

/* device.c */

/* Sends `frame` again, or for the first time. */
void usmp_device_transmit(struct usmp_device *device, uint64_t now);
/* Ends the attempt. Returns USMP_SESSION_OVER. */
enum usmp_session_verdict usmp_device_fail(struct usmp_device *device, enum usmp_device_failure failure);

/* device_handshake.c */

void usmp_device_send_hello(struct usmp_device *device, const uint8_t *cookie, uint64_t now);
/* A frame before there is a session. */
enum usmp_session_verdict usmp_device_receive_handshake(struct usmp_device *device, const struct usmp_frame *frame,
                                                        uint64_t now) USMP_MUST_USE;
/* A frame of the handshake over UDP when there is a session. */
enum usmp_session_verdict usmp_device_receive_copy(struct usmp_device *device,
                                                   const struct usmp_frame *frame) USMP_MUST_USE;

#endif
