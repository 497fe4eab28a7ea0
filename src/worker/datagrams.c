#include "worker/datagrams.h"

#include <assert.h>

static void receive(struct datagrams *datagrams, const struct udp_datagram *datagram, struct shard_time now)
{
    size_t size = datagram->oversized ? 0 : datagram->size;
    shard_datagram(datagrams->shard, &datagram->path, datagram->bytes, size, now);
}

static void read_share(struct datagram_socket *socket)
{
    struct datagrams *datagrams = socket->owner;
    struct udp_datagram batch[UDP_SOCKET_BATCH];
    for (unsigned share = 0; share < DATAGRAMS_BATCHES; share++) {
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

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    read_share(poll->data);
    /* Where the socket has an error, libuv stops watching it. Reading has taken the error away. */
    if (status != 0) {
        (void)uv_poll_start(poll, UV_READABLE, on_readable);
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

static bool is_any(const struct address *address)
{
    static const struct address any = {.port = 0};
    struct address any_ipv4 = address_from_ipv4((const uint8_t[4]){0}, 0);
    return address_same_host(address, address_is_ipv4(address) ? &any_ipv4 : &any);
}

/* How well a socket serves to answer from `local`. */
static unsigned fitness(const struct address *bound, const struct address *local)
{
    if (address_equal(bound, local)) {
        return 3;
    }
    if (bound->port != local->port || !is_any(bound)) {
        return 0;
    }
    /* [::] may serve IPv4 too. */
    return address_is_ipv4(bound) == address_is_ipv4(local) ? 2 : 1;
}

static struct datagram_socket *socket_for(struct datagrams *datagrams, const struct address *local)
{
    struct datagram_socket *fittest = &datagrams->sockets[0];
    unsigned best = 0;
    for (size_t index = 0; index < datagrams->count && best < 3; index++) {
        struct datagram_socket *socket = &datagrams->sockets[index];
        unsigned fits = fitness(&socket->bound, local);
        if (fits > best) {
            best = fits;
            fittest = socket;
        }
    }
    return fittest;
}

void datagrams_send(struct datagrams *datagrams, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    assert(datagrams->count > 0);
    udp_socket_queue(socket_for(datagrams, &path->local)->socket, path, bytes, size);
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

void datagrams_close(struct datagrams *datagrams)
{
    for (size_t index = 0; index < datagrams->count; index++) {
        uv_close((uv_handle_t *)&datagrams->sockets[index].poll, NULL);
        udp_socket_close(datagrams->sockets[index].socket);
    }
    datagrams->count = 0;
}
