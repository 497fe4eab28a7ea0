#include "config/config.h"
#include "platform/inherited_sockets.h"
#include "worker/listening_log.h"
#include "worker/worker_internal.h"

_Static_assert(INHERITED_SOCKETS_MAX <= CONFIG_LISTEN_MAX, "every inherited socket has a place");

static void on_accepted(void *context, int descriptor)
{
    struct worker *worker = context;
    stream_connection_open(&worker->connections, descriptor);
}

static bool add_listener(struct worker *worker, int descriptor, struct error_text *error)
{
    struct stream_listener *listener = &worker->listeners[worker->listener_count];
    int result = stream_listener_open(listener, worker->loop, descriptor, on_accepted, worker);
    if (result != 0) {
        error_text_set(error, "cannot watch a listening socket: %s", uv_strerror(result));
        return false;
    }
    worker->listener_count++;
    listening_log(descriptor, "tcp");
    return true;
}

static bool add_udp_socket(struct worker *worker, struct udp_socket *socket, struct error_text *error)
{
    int result = datagrams_add(&worker->datagrams, worker->loop, socket);
    if (result != 0) {
        udp_socket_close(socket);
        error_text_set(error, "cannot watch a UDP socket: %s", uv_strerror(result));
        return false;
    }
    listening_log(udp_socket_descriptor(socket), "udp");
    return true;
}

static bool take_inherited(struct worker *worker, struct inherited_socket *inherited, struct error_text *error)
{
    int descriptor = inherited->descriptor;
    inherited->descriptor = -1;
    if (inherited->transport == INHERITED_SOCKET_TCP) {
        return add_listener(worker, descriptor, error);
    }
    struct udp_socket *socket = udp_socket_adopt(descriptor, error);
    return socket != NULL && add_udp_socket(worker, socket, error);
}

/* Inherited sockets of a transport take the place of what is configured for it. */
static bool take_all_inherited(struct worker *worker, struct inherited_sockets *inherited, bool *tcp, bool *udp,
                               struct error_text *error)
{
    for (size_t index = 0; inherited != NULL && index < inherited->count; index++) {
        struct inherited_socket *socket = &inherited->sockets[index];
        *(socket->transport == INHERITED_SOCKET_TCP ? tcp : udp) = true;
        if (!take_inherited(worker, socket, error)) {
            return false;
        }
    }
    return true;
}

static bool bind_tcp(struct worker *worker, const struct config_address_list *addresses, struct error_text *error)
{
    for (size_t index = 0; index < addresses->count; index++) {
        int descriptor = stream_listener_bind(&addresses->items[index], error);
        if (descriptor < 0 || !add_listener(worker, descriptor, error)) {
            return false;
        }
    }
    return true;
}

static bool bind_udp(struct worker *worker, const struct config_address_list *addresses, struct error_text *error)
{
    for (size_t index = 0; index < addresses->count; index++) {
        struct udp_socket *socket = udp_socket_open(&addresses->items[index].address, false, error);
        if (socket == NULL || !add_udp_socket(worker, socket, error)) {
            return false;
        }
    }
    return true;
}

bool worker_listen(struct worker *worker, const struct worker_options *options, struct error_text *error)
{
    bool tcp = false;
    bool udp = false;
    return take_all_inherited(worker, options->inherited, &tcp, &udp, error) &&
           (tcp || bind_tcp(worker, &options->config->listen.tcp, error)) &&
           (udp || bind_udp(worker, &options->config->listen.udp, error));
}
