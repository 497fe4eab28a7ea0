/* A listening TCP socket on a loop.
 *
 * Its own socket behind uv_poll_t rather than libuv's listener: that accepts until nobody is left, which lets a flood
 * of connections starve the sessions that are there, and stops for good when an accepted connection finds no memory.
 * Here a turn takes at most STREAM_LISTENER_SHARE connections.
 *
 * Descriptors run out before anything else does, so devices leave STREAM_LISTENER_RESERVE of them to backends and
 * files: a connection beyond that is closed at once. When there is none left at all, a spare one is used to accept and
 * close, so that the peer hears of it and the kernel's queue does not stay full. When even that fails, nothing is
 * accepted for STREAM_LISTENER_REST. The log tells of it once a minute.
 */
#ifndef WORKER_STREAM_LISTENER_H
#define WORKER_STREAM_LISTENER_H

#include <stdint.h>
#include <uv.h>

#include "config/config.h"
#include "platform/error_text.h"

#define STREAM_LISTENER_SHARE 16u /* 0.5 ms, with a close for each that is not wanted */
#define STREAM_LISTENER_BACKLOG 1024
#define STREAM_LISTENER_RESERVE 64 /* descriptors; half of all if there are not twice as many */
#define STREAM_LISTENER_REST 100u  /* milliseconds */

struct stream_listener {
    uv_poll_t poll;
    uv_timer_t rest; /* running: nothing can be accepted until it is over */
    int descriptor;
    int spare;                                       /* -1: none could be had */
    int limit;                                       /* descriptors from here on are not for devices */
    uint64_t turned_away;                            /* since the log told of it */
    uint64_t tell_after;                             /* monotonic microseconds */
    void (*accepted)(void *context, int descriptor); /* owns the descriptor */
    void *context;
};

/* Binds and listens: [::] serves IPv4 too and falls back to 0.0.0.0 where there is no IPv6. The descriptor is -1 after
 * a failure, and then `error` says why. */
int stream_listener_bind(const struct config_address *address, struct error_text *error)
    __attribute__((warn_unused_result));

/* Watches a listening descriptor, which it owns from now on, with a failure too; nothing is accepted before the start.
 * Returns 0 or a negative libuv error. */
int stream_listener_open(struct stream_listener *listener, uv_loop_t *loop, int descriptor,
                         void (*accepted)(void *context, int descriptor), void *context)
    __attribute__((warn_unused_result));
int stream_listener_start(struct stream_listener *listener) __attribute__((warn_unused_result));
void stream_listener_stop(struct stream_listener *listener);

/* The listener's memory is free once the loop has run its closing callbacks. */
void stream_listener_close(struct stream_listener *listener);

#endif
