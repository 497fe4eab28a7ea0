/* What the parts of the hub share. Not for other rooms. */
#ifndef DELIVERY_HUB_STATE_H
#define DELIVERY_HUB_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "delivery/directory.h"
#include "delivery/hub.h"
#include "delivery/pending_command.h"
#include "delivery/waiting_messages.h"
#include "platform/log.h"

#define HUB_EPOCH_SIZE 8u /* bytes; twice as many hex digits */

struct backend;

/* Messages that outsiders or a busy network can cause again and again. */
enum hub_message {
    HUB_MESSAGE_REFUSED, /* a second connection */
    HUB_MESSAGE_ACCEPT,  /* a connection could not be accepted */
    HUB_MESSAGE_FULL,    /* a queue became full */
    HUB_MESSAGE_ROOM,    /* it has room again */
    HUB_MESSAGE_SHARE,   /* a device holds too much of a queue */
    HUB_MESSAGE_MEMORY,  /* memory is short */
    HUB_MESSAGES,
};

struct hub {
    uv_loop_t *loop;
    struct hub_settings settings;
    char epoch[2 * HUB_EPOCH_SIZE + 1];
    struct directory directory;
    struct pending_commands commands;
    struct waiting_messages waiting;
    uv_timer_t waiting_timer;
    uint64_t waiting_due;        /* what the timer is set to; DEADLINE_NEVER: it is not */
    struct seam_inbox **inboxes; /* of the workers, in order of their attachment: the index is the shard */
    unsigned attached;
    struct backend *backends[CONFIG_BACKENDS_MAX];
    size_t backend_count;
    struct log_limit limits[HUB_MESSAGES];
    uv_timer_t tick;
    size_t handles;                 /* that libuv still has */
    void (*drained)(void *context); /* NULL once it was called */
    void *drained_context;
    bool draining;
    bool closing;
};

/* Every handle of libuv is counted; when the last one is closed, the memory goes. */
void hub_handle_opened(struct hub *hub);
void hub_handle_closed(struct hub *hub);

/* Something has to be done in a second: held-back messages be counted, a listener be tried again. */
void hub_tick_soon(struct hub *hub);

/* To be called after anything was written or a connection has ended: finishes hub_drain(). */
void hub_look_for_end_of_draining(struct hub *hub);

/* Asserts that the books of every backend balance. */
void hub_check(const struct hub *hub);

/* log_write_limited() with the clock and the tick that belong to it. */
#define HUB_LOG(hub, message, fields, ...)                                                                             \
    do {                                                                                                               \
        log_write_limited(&(hub)->limits[message], clock_monotonic_us(), fields, __VA_ARGS__);                         \
        hub_tick_soon(hub);                                                                                            \
    } while (0)

#endif
