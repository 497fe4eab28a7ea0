#define _GNU_SOURCE

#include "worker/stream_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/address_text.h"

static int open_bound(const struct sockaddr *address, socklen_t length)
{
    int descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -1;
    }
    int on = 1;
    int off = 0;
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (address->sa_family != AF_INET6 || setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
        bind(descriptor, address, length) == 0 && listen(descriptor, STREAM_LISTENER_BACKLOG) == 0) {
        return descriptor;
    }
    int failure = errno;
    close(descriptor);
    errno = failure;
    return -1;
}

static bool has_no_ipv6(int failure)
{
    return failure == EAFNOSUPPORT || failure == EADDRNOTAVAIL || failure == EPROTONOSUPPORT;
}

int stream_listener_bind(const struct config_address *address, struct error_text *error)
{
    int descriptor = open_bound((const struct sockaddr *)&address->socket_address, address->length);
    if (descriptor < 0 && address->wildcard && has_no_ipv6(errno)) {
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(address->address.port)};
        descriptor = open_bound((const struct sockaddr *)&any, sizeof any);
    }
    if (descriptor < 0) {
        char text[ADDRESS_TEXT_SIZE];
        int failure = errno;
        address_format(&address->address, text);
        error_text_set(error, "cannot listen on tcp %s: %s", text, strerror(failure));
    }
    return descriptor;
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Out of descriptors: the one at the head of the queue is told by closing it. */
static void turn_away(struct stream_listener *listener)
{
    if (listener->spare < 0) {
        return;
    }
    close(listener->spare);
    int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_CLOEXEC);
    if (descriptor >= 0) {
        close(descriptor);
    }
    listener->spare = open_spare();
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct stream_listener *listener = poll->data;
    (void)events;
    for (unsigned share = 0; status == 0 && share < STREAM_LISTENER_SHARE; share++) {
        int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            listener->accepted(listener->context, descriptor);
        } else if (errno == EMFILE || errno == ENFILE) {
            turn_away(listener);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

int stream_listener_open(struct stream_listener *listener, uv_loop_t *loop, int descriptor,
                         void (*accepted)(void *context, int descriptor), void *context)
{
    int result = uv_poll_init(loop, &listener->poll, descriptor);
    if (result != 0) {
        close(descriptor);
        return result;
    }
    listener->poll.data = listener;
    listener->descriptor = descriptor;
    listener->spare = open_spare();
    listener->accepted = accepted;
    listener->context = context;
    return 0;
}

int stream_listener_start(struct stream_listener *listener)
{
    return uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

void stream_listener_stop(struct stream_listener *listener)
{
    uv_poll_stop(&listener->poll);
}

void stream_listener_close(struct stream_listener *listener, uv_close_cb closed)
{
    uv_close((uv_handle_t *)&listener->poll, closed);
    close(listener->descriptor);
    if (listener->spare >= 0) {
        close(listener->spare);
    }
}
