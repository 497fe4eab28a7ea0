/* The UDP sockets of a worker on its loop: batches of datagrams in, one flush out at the end of a turn.
 *
 * Each bound address has a socket. What the shard sends leaves by the socket that serves the address it answers from,
 * with that source address (docs/protocol.md section 5: devices take answers from the address they called only).
 */
#ifndef WORKER_DATAGRAMS_H
#define WORKER_DATAGRAMS_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "config/config.h"
#include "gateway/shard.h"
#include "platform/error_text.h"
#include "worker/udp_socket.h"

/* Of UDP_SOCKET_BATCH datagrams each, from one socket in one turn. As many as that, because a flood of HELLOs is only
 * put aside at first (docs/design/sessions-first.md): what came for sessions behind it is reached sooner. */
#define DATAGRAMS_BATCHES 8u

struct datagrams;

struct datagram_socket {
    uv_poll_t poll;
    struct datagrams *owner;
    struct udp_socket *socket;
    struct address bound;
};

struct datagrams {
    struct datagram_socket sockets[CONFIG_LISTEN_MAX];
    size_t count;
    struct shard *shard;
    struct shard_time (*now)(void *context);
    void *context;
};

/* Takes over a bound socket. Returns 0 or a negative libuv error, then the socket is still the caller's. */
int datagrams_add(struct datagrams *datagrams, uv_loop_t *loop, struct udp_socket *socket)
    __attribute__((warn_unused_result));

int datagrams_start(struct datagrams *datagrams) __attribute__((warn_unused_result));

/* Queues one datagram; it leaves with datagrams_flush, or when the queue is full. */
void datagrams_send(struct datagrams *datagrams, const struct shard_path *path, const uint8_t *bytes, size_t size);
void datagrams_flush(struct datagrams *datagrams);

/* Datagrams the kernel dropped because the receive buffer was full. */
uint64_t datagrams_lost(const struct datagrams *datagrams);

/* The memory of `datagrams` is free once the loop has run its closing callbacks. */
void datagrams_close(struct datagrams *datagrams);

#endif
