#include "worker/datagrams.h"

#include <assert.h>

static void receive(struct datagrams *datagrams, const struct udp_datagram *datagram, struct shard_time now)
{
    struct shard_path path = {
        .peer = datagram->path.peer, .local = datagram->path.local, .interface = datagram->path.interface};
    shard_datagram(datagrams->shard, &path, datagram->bytes, datagram->oversized ? 0 : datagram->size, now);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct datagram_socket *socket = poll->data;
    struct datagrams *datagrams = socket->owner;
    struct udp_datagram batch[UDP_SOCKET_BATCH];
    (void)events;
    for (unsigned share = 0; status == 0 && share < DATAGRAMS_BATCHES; share++) {
        size_t count = udp_socket_receive(socket->socket, batch);
        struct shard_time now = datagrams->now(datagrams->context);
        for (size_t index = 0; index < count; index++) {
            receive(datagrams, &batch[index], now);
        }
        if (count < UDP_SOCKET_BATCH) {
            return;
        }
    }
}

int datagrams_add(struct datagrams *datagrams, uv_loop_t *loop, struct udp_socket *socket)
{
    assert(datagrams->count < CONFIG_LISTEN_MAX);
    struct datagram_socket *added = &datagrams->sockets[datagrams->count];
    int result = uv_poll_init(loop, &added->poll, udp_socket_descriptor(socket));
    if (result != 0) {
        return result;
    }
    added->poll.data = added;
    added->owner = datagrams;
    added->socket = socket;
    added->bound = udp_socket_local(socket);
    datagrams->count++;
    return 0;
}

int datagrams_start(struct datagrams *datagrams)
{
    for (size_t index = 0; index < datagrams->count; index++) {
        int result = uv_poll_start(&datagrams->sockets[index].poll, UV_READABLE, on_readable);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

/* The socket that is bound to the address, or else one that is bound to any address and has its port. */
static struct datagram_socket *socket_for(struct datagrams *datagrams, const struct address *local)
{
    struct datagram_socket *found = &datagrams->sockets[0];
    for (size_t index = 0; index < datagrams->count; index++) {
        struct datagram_socket *socket = &datagrams->sockets[index];
        if (address_equal(&socket->bound, local)) {
            return socket;
        }
        if (socket->bound.port == local->port) {
            found = socket;
        }
    }
    return found;
}

void datagrams_send(struct datagrams *datagrams, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    assert(datagrams->count > 0);
    struct udp_path from = {.peer = path->peer, .local = path->local, .interface = path->interface};
    udp_socket_queue(socket_for(datagrams, &path->local)->socket, &from, bytes, size);
}

void datagrams_flush(struct datagrams *datagrams)
{
    for (size_t index = 0; index < datagrams->count; index++) {
        udp_socket_flush(datagrams->sockets[index].socket);
    }
}

uint64_t datagrams_lost(const struct datagrams *datagrams)
{
    uint64_t lost = 0;
    for (size_t index = 0; index < datagrams->count; index++) {
        lost += udp_socket_counters(datagrams->sockets[index].socket)->receive_dropped;
    }
    return lost;
}

void datagrams_close(struct datagrams *datagrams, uv_close_cb closed)
{
    for (size_t index = 0; index < datagrams->count; index++) {
        uv_close((uv_handle_t *)&datagrams->sockets[index].poll, closed);
        udp_socket_close(datagrams->sockets[index].socket);
    }
    datagrams->count = 0;
}
