#ifndef TESTS_WORKER_SOCKET_DEVICE_H
#define TESTS_WORKER_SOCKET_DEVICE_H

/* A device: libusmp's device role over a socket of its own. It does something only in socket_device_turn. Included
 * after cmocka.h; _GNU_SOURCE. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/device.h>

#define SOCKET_DEVICE_RECEIVED_MAX 64

struct socket_device {
    struct usmp_device end;
    struct usmp_session_owner owner;
    enum usmp_transport transport;
    int descriptor; /* -1: closed */
    bool silent;    /* reads nothing, says nothing */
    bool over;      /* its handshake failed or its session ended */
    bool stream_ended;
    size_t incoming_size;
    uint8_t incoming[8192]; /* TCP: read, not yet a whole frame */
    size_t sent;            /* messages, acknowledged or with the kernel */
    size_t received;        /* messages */
    size_t sizes[SOCKET_DEVICE_RECEIVED_MAX];
    uint8_t texts[SOCKET_DEVICE_RECEIVED_MAX][32]; /* how each began */
};

void socket_device_begin(struct socket_device *device, enum usmp_transport transport, unsigned wire, const char *id,
                         const char *psk, const char *host, uint16_t port);
void socket_device_end(struct socket_device *device);

/* Reads what is there and does what is due. */
void socket_device_turn(struct socket_device *device);

bool socket_device_is_connected(const struct socket_device *device);
/* Nothing may be under way. */
void socket_device_send(struct socket_device *device, const void *bytes, size_t size);
bool socket_device_can_send(const struct socket_device *device);
void socket_device_say_bye(struct socket_device *device);

#endif
