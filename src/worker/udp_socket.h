#ifndef WORKER_UDP_SOCKET_H
#define WORKER_UDP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/shard.h"
#include "platform/address.h"
#include "platform/error_text.h"

/* A UDP socket of the worker's own: libuv tells neither which of our addresses a datagram was sent to nor lets 64 of
 * them go with one system call. The loop polls the descriptor (uv_poll_t), calls udp_socket_receive() until it returns
 * less than a whole batch or the turn's share is used up, and udp_socket_flush() at the end of the turn.
 *
 * Nothing is allocated after udp_socket_open(), nothing waits. One thread. */

#define UDP_SOCKET_BATCH 64
#define UDP_SOCKET_DATAGRAM_MAX SHARD_DATAGRAM_MAX

struct udp_socket;

struct udp_datagram {
    struct shard_path path; /* an answer takes the path of what it answers */
    const uint8_t *bytes;   /* until the next udp_socket_receive() */
    size_t size;
    bool oversized; /* more than UDP_SOCKET_DATAGRAM_MAX; `bytes` may be its beginning only */
};

struct udp_socket_counters {
    uint64_t received;
    uint64_t receive_errors;
    uint64_t receive_dropped; /* by the kernel, because we did not read fast enough */
    uint64_t sent;
    uint64_t send_full;    /* not sent: the kernel's buffer was full */
    uint64_t send_refused; /* not sent: no way to this peer */
};

/* Binds to `local`. [::] serves IPv4 too, and becomes 0.0.0.0 where there is no IPv6; other IPv6 addresses serve IPv6
 * alone. `reuse_port`: several sockets share the address, and the kernel spreads peers over them; all are opened before
 * any is read. NULL with `error` set when that cannot be had. */
struct udp_socket *udp_socket_open(const struct address *local, bool reuse_port, struct error_text *error)
    __attribute__((warn_unused_result));

/* Takes over an inherited UDP socket (platform/inherited_sockets.h). The descriptor is owned from then on, with a
 * failure too. */
struct udp_socket *udp_socket_adopt(int descriptor, struct error_text *error) __attribute__((warn_unused_result));

/* Drops what is queued; NULL is allowed. */
void udp_socket_close(struct udp_socket *socket);

/* For uv_poll_t; it stays the socket's. */
int udp_socket_descriptor(const struct udp_socket *socket);

/* With the port that the kernel chose for port 0. */
struct address udp_socket_local(const struct udp_socket *socket);

/* Bytes of payload and overhead that the kernel keeps for us while we do not read; less than
 * UDP_SOCKET_RECEIVE_BUFFER when net.core.rmem_max says so. */
#define UDP_SOCKET_RECEIVE_BUFFER (4u << 20)
size_t udp_socket_receive_buffer(const struct udp_socket *socket);

/* Takes up to UDP_SOCKET_BATCH waiting datagrams and returns their number; 0: none. Fewer than a whole batch: none is
 * left. Empty datagrams are datagrams. */
size_t udp_socket_receive(struct udp_socket *socket, struct udp_datagram datagrams[static UDP_SOCKET_BATCH])
    __attribute__((warn_unused_result));

/* Puts a copy of `size` (at most UDP_SOCKET_DATAGRAM_MAX) bytes to where the next flush sends it. A full queue is
 * flushed first. It leaves from path->local, unless that is all zeros: then the kernel chooses. */
void udp_socket_queue(struct udp_socket *socket, const struct shard_path *path, const uint8_t *bytes, size_t size);

/* Hands the queue to the kernel. What it does not take is lost, as datagrams may be, and counted; a peer that cannot be
 * reached does not hold up the others. */
void udp_socket_flush(struct udp_socket *socket);

const struct udp_socket_counters *udp_socket_counters(const struct udp_socket *socket);

#endif
