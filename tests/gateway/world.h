/* A gateway's shard and simulated devices in virtual time.
 *
 * Everything is deterministic: the same seed and the same calls give the same bytes. What one side sends goes over a
 * link (gateway/link.h) that is perfect unless a test makes it otherwise; streams are read in one piece unless a test
 * cuts them. Nothing moves but in world_settle and world_run.
 *
 * The world plays the worker and the hub: it keeps what a stream's reader keeps, gives credit, collects events and
 * finished commands, and holds the shard to its contract while it does.
 */
#ifndef TESTS_GATEWAY_WORLD_H
#define TESTS_GATEWAY_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admission/admission.h"
#include "config/config.h"
#include "gateway/link.h"
#include "gateway/random_numbers.h"
#include "gateway/shard.h"
#include "gateway/simulated_device.h"
#include "registry/registry.h"
#include "seam/outbox.h"

#define WORLD_CREDIT (UINT64_C(1) << 40)     /* bytes a backend: more than any test spends */
#define WORLD_SECOND UINT64_C(1000000)       /* microseconds */
#define WORLD_START UINT64_C(100000000)      /* the monotonic clock at the beginning */
#define WORLD_WALL INT64_C(1795338000000000) /* the wall clock then: 2026-11-22T09:00:00Z */
#define WORLD_GIVE_UP (10 * WORLD_SECOND)    /* how long a device tries to connect */
#define WORLD_LOG_TEXT 200u

struct world_event {
    struct seam_event event;
    uint8_t *payload;
};

struct world_log {
    enum log_level level;
    char text[WORLD_LOG_TEXT]; /* "message key=value …", for those fields that are text */
};

/* Somebody who looks on: told of everything that passes between the shard and its world, as it happens. */
struct world_watch {
    void *context;
    void (*arrives)(void *context, const struct packet *packet); /* a datagram is handed to the shard now */
    void (*leaves)(void *context, const struct shard_path *path, const uint8_t *bytes, size_t size);
    void (*writes)(void *context, const struct simulated_device *device, const uint8_t *bytes, size_t size);
    /* These are told instead of kept in `events`. */
    void (*tells)(void *context, const struct seam_event *event, const uint8_t *payload);
    void (*finishes)(void *context, const struct seam_command *command);
    void (*settles)(void *context); /* the shard has done one thing and everything that came of it is collected */
};

struct world {
    struct shard_time now;
    const struct config *config;
    struct registry *registry;
    struct config *owned_config; /* NULL: somebody else's */
    struct admission *admission;
    struct seam_outbox outbox;
    struct shard *shard;
    struct shard_ports ports;
    struct random_numbers numbers; /* what the shard and the devices draw */
    struct link link;
    struct simulated_device *devices; /* the newest first */
    struct address gateway;           /* where devices send to */

    struct world_event *events;
    size_t event_count;
    size_t event_capacity;
    uint64_t credit_given[SEAM_BACKENDS_MAX];
    uint64_t credit_spent[SEAM_BACKENDS_MAX]; /* by the events so far */
    struct seam_command **finished;           /* in the order in which they came back; they are their makers' */
    size_t finished_count;
    size_t finished_capacity;
    struct world_log *logs;
    size_t log_count;
    size_t log_capacity;
    uint64_t strangers;      /* datagrams of the gateway to where there is no device */
    uint64_t datagrams_sent; /* by the gateway */
    uint64_t bytes_sent;     /* in them */

    size_t (*cut)(struct world *world, size_t available); /* how many bytes a read gives; NULL: all */
    void (*around)(bool inside);                          /* told when the shard is entered and left; NULL: nobody */
    bool inside;                                          /* the shard is at work */
    bool moved;                                           /* it was, since the watch was told last */
    struct trace *trace;                                  /* what happens is written there; NULL: nowhere */
    const struct world_watch *watch;                      /* NULL: nobody looks on */
};

/* Opens a gateway from what usmpd.yaml (NULL: nothing but defaults) and devices.yaml say. Credit is plentiful. */
struct world *world_open(const char *config, const char *devices);
/* The same from what is loaded already and stays the caller's. NULL: the shard or admission could not be opened. */
struct world *world_open_loaded(const struct config *config, struct registry *registry, uint64_t seed,
                                void (*around)(bool inside));
/* Sends that are not finished come back; they are still their makers'. */
void world_close(struct world *world);

/* Reads texts as world_open does; the caller frees both. */
struct config *world_load(const char *config, const char *devices, struct registry **registry);
void world_reload(struct world *world, const char *config, const char *devices);
/* The same with what is loaded already and stays the caller's. */
void world_reload_loaded(struct world *world, const struct config *config, struct registry *registry);

void world_give_credit(struct world *world, uint64_t bytes);
/* Takes away what credit there is. */
void world_take_credit(struct world *world);

/* A device that begins a handshake at once; `address` such as "192.0.2.1:5000". */
struct simulated_device *world_connect(struct world *world, enum usmp_transport transport, unsigned wire,
                                       const char *id, const char *psk, const char *address);
struct simulated_device *world_connect_as(struct world *world, enum usmp_transport transport, unsigned wire,
                                          const uint8_t id[USMP_DEVICE_ID_SIZE], const char *psk,
                                          const struct address *address, enum usmp_cipher cipher);
/* One without libusmp: see gateway/bare_device.h. */
struct simulated_device *world_connect_bare(struct world *world, enum usmp_transport transport, const char *address);
struct simulated_device *world_connect_bare_at(struct world *world, enum usmp_transport transport,
                                               const struct address *address);
/* It is gone without a word; over TCP the connection breaks. */
void world_vanish(struct simulated_device *device);
/* The connection breaks, or the device's kernel closes it. */
void world_lose_stream(struct simulated_device *device);
/* The kernel takes bytes again. */
void world_unblock_stream(struct simulated_device *device);

/* Delivers what has arrived until nothing moves; no time passes. */
void world_settle(struct world *world);
/* Settles, and lets time pass, from one thing that is due to the next. */
void world_run(struct world *world, uint64_t microseconds);

/* Raw bytes, from an address or on a device's stream; they are on their way. */
void world_datagram(struct world *world, const char *address, const uint8_t *bytes, size_t size);
void world_stream_bytes(struct simulated_device *device, const uint8_t *bytes, size_t size);

/* A command of the hub. Its payload goes the moment it is back, its maker frees the rest then. */
struct seam_command *world_command(struct world *world, enum seam_operation operation, const char *id,
                                   const void *payload, size_t size, uint64_t time_to_live);
void world_submit(struct world *world, struct seam_command *command);
/* Both for a text, with 30 s to live. */
struct seam_command *world_send(struct world *world, const char *id, const char *text);
void world_command_free(struct seam_command *command);

/* Around what the shard does; what a port does for it is outside again. */
void world_enter(struct world *world);
void world_leave(struct world *world);

/* For devices: a datagram goes on its way. */
void world_carry(struct world *world, bool to_gateway, const struct shard_path *path, const uint8_t *bytes,
                 size_t size);

size_t world_count_logs(const struct world *world, const char *text);
struct address world_address(const char *text);

#endif
