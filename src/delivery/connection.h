/* Whoever is connected to a backend's socket: reads commands, writes events and answers.
 *
 * It is there until its peer has gone for good: one that has shut down its writing side goes on reading. When the peer
 * has gone, the commands that it had written before are still carried out; their answers have no reader.
 * A connection that answers cannot be stored for, because memory is short, is ended.
 */
#ifndef DELIVERY_CONNECTION_H
#define DELIVERY_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "delivery/byte_fifo.h"
#include "delivery/line_reader.h"
#include "delivery/session_list.h"

struct backend;

struct connection {
    struct backend *backend;
    uv_poll_t poll;
    int descriptor;
    int watched; /* what `poll` waits for */
    int64_t uid;
    uint64_t number;     /* of the backend's connections */
    bool input_ended;    /* no more commands come */
    bool reading_paused; /* until the answers have gone out */
    bool gone;           /* nothing can be written any more */
    struct byte_fifo answers;
    struct session_list list;
    struct line_reader reader;
};

/* Becomes the backend's connection, which it must not have, and has the greeting to write. False: memory is short, or
 * the loop refused; the descriptor stays the caller's. */
bool connection_open(struct backend *backend, int descriptor, int64_t uid) __attribute__((warn_unused_result));

/* Closes it at once; its memory goes when libuv is done with it. */
void connection_end(struct connection *connection);

/* Runs commands that have been read, writes what the socket takes; ends it if its peer has gone. */
void connection_serve(struct connection *connection);

/* A line for its reader; not wanted any more when it is gone. */
void connection_answer(struct connection *connection, const char *line, size_t size);

/* Whether the peer has closed its end; asks the kernel. */
bool connection_is_hung_up(const struct connection *connection);

/* The peer is known to have gone: connection_serve() will end it. */
void connection_vanish(struct connection *connection);

/* Whether no answer waits to be written. */
bool connection_is_answered(const struct connection *connection);

#endif
