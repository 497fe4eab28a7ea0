/* A TCP connection of a device: libuv's handle, what was read and not consumed yet, what waits to be written.
 *
 * Reading goes through one buffer of the worker; a connection keeps bytes of its own only for a piece of a frame or
 * while it is paused. Writing tries the kernel first; what it does not take is queued, at most SHARD_STREAM_QUEUE_MAX
 * bytes.
 */
#ifndef WORKER_STREAM_CONNECTION_H
#define WORKER_STREAM_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "gateway/shard.h"

#define STREAM_READ_SIZE 8192u /* bytes: a busy device's share of a turn */

struct stream_connections;

struct stream_connection {
    uv_tcp_t handle;
    struct stream_connections *connections;
    struct shard_stream *stream; /* NULL: closing */
    uint8_t *kept;               /* read and not consumed, `kept_size` bytes */
    size_t kept_size;
    size_t queued; /* bytes that libuv holds for us */
    bool paused;
    uint64_t read_in; /* the turn in which it had its share */
    bool is_resumed;  /* in the list of those to be fed again before the loop sleeps */
    struct stream_connection *resumed_before;
    struct stream_connection *resumed_next;
    struct stream_connection *older; /* all of them */
    struct stream_connection *newer;
};

/* All of a worker's connections, and what they share. */
struct stream_connections {
    uv_loop_t *loop;
    struct shard *shard;
    struct shard_time (*now)(void *context);
    void *context;
    size_t count;  /* handles that are not closed yet */
    uint64_t turn; /* from 1 on */
    struct stream_connection *newest;
    struct stream_connection *resumed_first; /* in the order in which the shard let them go on */
    struct stream_connection *resumed_last;
    uint8_t buffer[STREAM_READ_SIZE + SHARD_DATAGRAM_MAX];
};

/* From here on each may read again: once a turn of the loop. */
void stream_connections_begin_turn(struct stream_connections *connections);

/* Takes over an accepted socket; one that the shard does not want, or that finds no memory, is closed at once. */
void stream_connection_open(struct stream_connections *connections, int descriptor);

/* The ports of the shard (gateway/shard.h); `handle` is the connection. */
enum shard_written stream_connection_write(struct stream_connection *connection, const uint8_t *bytes, size_t size);
void stream_connection_resume(struct stream_connection *connection);
void stream_connection_close(struct stream_connection *connection);

/* Closes them all without asking the shard, which is about to close. */
void stream_connections_close_all(struct stream_connections *connections);

/* Feeds those that were resumed with what they had kept. */
void stream_connections_feed_resumed(struct stream_connections *connections);

#endif
