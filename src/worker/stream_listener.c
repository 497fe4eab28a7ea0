#define _GNU_SOURCE

#include "worker/stream_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/address_text.h"
#include "platform/clock.h"
#include "platform/log.h"

#define TELL_INTERVAL UINT64_C(60000000) /* microseconds */

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
        const char *reason = strerrordesc_np(errno);
        address_format(&address->address, text);
        error_text_set(error, "cannot listen on TCP %s: %s", text, reason);
    }
    return descriptor;
}

/* Connections inherit these (tcp(7)). A frame is written whole, so there is nothing to wait for. A device that is gone
 * without a word is noticed where the watchdog is off, but not for a gap of some seconds as libuv would have it: three
 * minutes of silence, then four without an answer. Where the kernel refuses, connections go without. */
static void set_options_of_connections(int descriptor)
{
    static const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},    {SOL_SOCKET, SO_KEEPALIVE, 1}, {IPPROTO_TCP, TCP_KEEPIDLE, 180},
        {IPPROTO_TCP, TCP_KEEPINTVL, 30}, {IPPROTO_TCP, TCP_KEEPCNT, 8},
    };
    for (size_t index = 0; index < sizeof options / sizeof *options; index++) {
        (void)setsockopt(descriptor, options[index].level, options[index].name, &options[index].value, sizeof(int));
    }
}

static int descriptors_for_devices(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX) {
        return INT_MAX;
    }
    int all = (int)limit.rlim_cur;
    return all < 2 * STREAM_LISTENER_RESERVE ? all / 2 : all - STREAM_LISTENER_RESERVE;
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void tell_of_turned_away(struct stream_listener *listener)
{
    uint64_t now = clock_monotonic_us();
    listener->turned_away++;
    if (now < listener->tell_after) {
        return;
    }
    log_write(LOG_LEVEL_WARN, LOG_FIELDS(log_number("turned_away", (int64_t)listener->turned_away)),
              "no descriptors are left for connections of devices; raise LimitNOFILE= of the service or ulimit -n");
    listener->turned_away = 0;
    listener->tell_after = now + TELL_INTERVAL;
}

/* The one at the head of the queue is told by closing it. False: there was nobody, or there is no descriptor for that
 * either, as errno says. */
static bool turn_away(struct stream_listener *listener)
{
    if (listener->spare >= 0) {
        close(listener->spare);
    }
    int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_CLOEXEC);
    int failure = errno;
    if (descriptor >= 0) {
        close(descriptor);
        tell_of_turned_away(listener);
    }
    listener->spare = open_spare();
    errno = failure;
    return descriptor >= 0;
}

static bool is_exhausted(int failure)
{
    return failure == EMFILE || failure == ENFILE || failure == ENOBUFS || failure == ENOMEM;
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_rested(uv_timer_t *rest)
{
    struct stream_listener *listener = rest->data;
    (void)uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

/* Whoever waits would only make the loop spin. */
static void rest(struct stream_listener *listener)
{
    (void)uv_poll_stop(&listener->poll);
    (void)uv_timer_start(&listener->rest, on_rested, STREAM_LISTENER_REST, 0);
}

/* False: nobody else can be taken in this turn. */
static bool accept_one(struct stream_listener *listener)
{
    int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= listener->limit) {
        close(descriptor);
        tell_of_turned_away(listener);
        return true;
    }
    if (descriptor >= 0) {
        listener->accepted(listener->context, descriptor);
        return true;
    }
    if (is_exhausted(errno)) {
        if (turn_away(listener)) {
            return true;
        }
        if (is_exhausted(errno)) {
            rest(listener);
        }
        return false;
    }
    return errno == ECONNABORTED || errno == EINTR;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct stream_listener *listener = poll->data;
    (void)events;
    for (unsigned share = 0; status == 0 && share < STREAM_LISTENER_SHARE && accept_one(listener); share++) {
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
    (void)uv_timer_init(loop, &listener->rest);
    set_options_of_connections(descriptor);
    listener->poll.data = listener;
    listener->rest.data = listener;
    listener->descriptor = descriptor;
    listener->spare = open_spare();
    listener->limit = descriptors_for_devices();
    listener->turned_away = 0;
    listener->tell_after = 0;
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
    (void)uv_poll_stop(&listener->poll);
    (void)uv_timer_stop(&listener->rest);
}

void stream_listener_close(struct stream_listener *listener)
{
    uv_close((uv_handle_t *)&listener->poll, NULL);
    uv_close((uv_handle_t *)&listener->rest, NULL);
    close(listener->descriptor);
    if (listener->spare >= 0) {
        close(listener->spare);
    }
}
