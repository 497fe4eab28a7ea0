/* A device as libusmp has it, with an application that sends what it is given and takes what comes. */
#ifndef TESTS_GATEWAY_SIMULATED_DEVICE_H
#define TESTS_GATEWAY_SIMULATED_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/device.h>

#include "gateway/shard.h"

struct world;

struct device_message {
    size_t size;
    struct device_message *next;
    uint8_t bytes[];
};

struct device_messages {
    struct device_message *first;
    struct device_message **end;
    size_t count;
};

struct byte_buffer {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

/* Another device behind a bare one: what comes is handed to it at once instead of being kept. */
struct device_behind {
    void (*datagram)(void *context, const uint8_t *bytes, size_t size);
    size_t (*stream)(void *context, const uint8_t *bytes, size_t size); /* how many bytes it takes */
    void (*stream_closed)(void *context);
    uint64_t (*deadline)(const void *context);
    void (*advance)(void *context);
};

struct simulated_device {
    struct world *world;
    struct simulated_device *next;
    struct usmp_device end;
    struct usmp_session_owner owner;
    enum usmp_transport transport;
    unsigned wire;
    uint8_t id[USMP_DEVICE_ID_SIZE];
    struct shard_path path; /* the peer is the device; a test may change it: that is a NAT with a new mind */
    bool bare;              /* no libusmp: what comes is kept, and a test answers (gateway/bare_device.h) */
    const struct device_behind *behind; /* NULL: nobody */
    void *behind_context;
    bool silent;                     /* nothing comes from it and nothing reaches it */
    bool refuses;                    /* takes no message: over UDP the gateway repeats */
    bool over;                       /* its session ended, or its handshake failed */
    struct device_messages to_send;  /* the first may be under way */
    struct device_messages received; /* a bare one over UDP: every datagram */
    bool sending;                    /* over UDP: the first of `to_send` is under way */
    struct device_messages sent;     /* over UDP acknowledged by the gateway, over TCP written */
    size_t acknowledged;             /* how many those are */
    uint64_t last_heard;             /* when a frame or UTACK of the gateway came */
    size_t frames_heard[256];        /* by type; encrypted frames of the gateway among them */
    size_t encrypted_heard;
    size_t utacks_heard[256]; /* by the type that they acknowledge */
    /* TCP */
    struct shard_stream *stream; /* NULL: not open */
    bool stream_closed;          /* by the gateway */
    bool paused;                 /* the gateway does not read */
    bool resumed;                /* it reads again, first of all what it kept */
    bool full;                   /* the kernel takes nothing of the gateway's for now: its writes wait */
    bool broken;                 /* the gateway's writes fail */
    struct byte_buffer outgoing; /* written by the device, not read by the gateway */
    struct byte_buffer kept;     /* read by the gateway's worker, not consumed by its shard */
    struct byte_buffer incoming; /* written by the gateway, not read by the device */
};

/* Begins a handshake; over TCP the stream is opened by the world. */
void simulated_device_begin(struct simulated_device *device, enum usmp_cipher cipher, const char *psk,
                            uint64_t give_up_after);
void simulated_device_end(struct simulated_device *device);

/* Puts a message behind the others and sends what may be sent. */
void simulated_device_send(struct simulated_device *device, const void *bytes, size_t size);

void device_messages_drop_first(struct device_messages *messages);
void device_messages_clear(struct device_messages *messages);

/* Input. */
void simulated_device_datagram(struct simulated_device *device, const uint8_t *bytes, size_t size);
void simulated_device_read(struct simulated_device *device);

uint64_t simulated_device_deadline(const struct simulated_device *device);
void simulated_device_advance(struct simulated_device *device);

bool simulated_device_is_connected(const struct simulated_device *device);
void simulated_device_ping(struct simulated_device *device);
void simulated_device_rekey(struct simulated_device *device);
/* Says BYE. */
void simulated_device_close(struct simulated_device *device);

void byte_buffer_append(struct byte_buffer *buffer, const uint8_t *bytes, size_t size);
void byte_buffer_consume(struct byte_buffer *buffer, size_t size);

#endif
