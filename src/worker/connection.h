/* A TCP connection of a device: libuv's handle, what was read and not consumed yet, what waits to be written.
 *
 * Reading goes through one buffer of the worker; a connection keeps bytes of its own only for a piece of a frame or
 * while it is paused. Writing tries the kernel first; what it does not take is queued, at most SHARD_STREAM_QUEUE_MAX
 * bytes.
 */
#ifndef WORKER_CONNECTION_H
#define WORKER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "gateway/shard.h"

#define CONNECTION_READ_SIZE 8192u /* bytes a read: a busy device's share of a turn */

struct connections;

struct connection {
    uv_tcp_t handle;
    struct connections *connections;
    struct shard_stream *stream; /* NULL: closing */
    uint8_t *kept;               /* read and not consumed, `kept_size` bytes */
    size_t kept_size;
    size_t queued; /* bytes that libuv holds for us */
    bool paused;
    bool is_resumed; /* in the list of those to be fed again before the loop sleeps */
    struct connection *resumed_next;
    struct connection *older; /* all of them */
    struct connection *newer;
};

/* All of a worker's connections, and what they share. */
struct connections {
    uv_loop_t *loop;
    struct shard *shard;
    struct shard_time (*now)(void *context);
    void *context;
    size_t count; /* handles that are not closed yet */
    struct connection *newest;
    struct connection *resumed; /* in no order */
    uint8_t buffer[CONNECTION_READ_SIZE + SHARD_DATAGRAM_MAX];
};

/* Takes over an accepted socket; one that the shard does not want, or that finds no memory, is closed at once. */
void connection_open(struct connections *connections, int descriptor);

/* The ports of the shard (gateway/shard.h); `handle` is the connection. */
enum shard_written connection_write(struct connection *connection, const uint8_t *bytes, size_t size);
void connection_resume(struct connection *connection);
void connection_close(struct connection *connection);

/* Closes them all without asking the shard, which is about to close. */
void connections_close_all(struct connections *connections);

/* Feeds those that were resumed with what they had kept. */
void connections_feed_resumed(struct connections *connections);

#endif
