#define _GNU_SOURCE
#include "worker/udp_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/address_text.h"
#include "platform/socket_address.h"
#include "worker/udp_socket_internal.h"

static const int ON = 1;
static const int OFF = 0;

static bool is_unspecified_ipv6(const struct address *address)
{
    static const uint8_t ANY[16] = {0};
    return memcmp(address->bytes, ANY, sizeof ANY) == 0;
}

static bool set_option(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

/* As large as we may: with CAP_NET_ADMIN whatever we ask for, otherwise up to net.core.rmem_max. Getting less is no
 * failure, udp_socket_receive_buffer() tells. */
static void enlarge_receive_buffer(int descriptor)
{
    if (!set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, (int)UDP_SOCKET_RECEIVE_BUFFER))
        (void)set_option(descriptor, SOL_SOCKET, SO_RCVBUF, (int)UDP_SOCKET_RECEIVE_BUFFER);
}

/* On an IPv6 socket IPV6_PKTINFO serves for IPv4 as well, with mapped addresses, in both directions. */
static bool ask_for_destination(int descriptor, int family)
{
    return family == AF_INET6 ? set_option(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, ON)
                              : set_option(descriptor, IPPROTO_IP, IP_PKTINFO, ON);
}

static bool bind_to(int descriptor, int family, const struct address *local, bool reuse_port)
{
    struct sockaddr_storage sockaddr;
    socklen_t length = socket_address_export(local, family, 0, &sockaddr);
    if (family == AF_INET6 && !set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, is_unspecified_ipv6(local) ? OFF : ON))
        return false;
    if (reuse_port && !set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, ON))
        return false;
    return bind(descriptor, (const struct sockaddr *)&sockaddr, length) == 0;
}

/* A bound descriptor, or -1 with errno set. */
static int open_bound(int family, const struct address *local, bool reuse_port)
{
    int descriptor = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
    if (descriptor < 0)
        return -1;
    if (bind_to(descriptor, family, local, reuse_port))
        return descriptor;
    int bind_error = errno;
    (void)close(descriptor);
    errno = bind_error;
    return -1;
}

static int open_for_address(const struct address *local, bool reuse_port)
{
    if (address_is_ipv4(local))
        return open_bound(AF_INET, local, reuse_port);
    int descriptor = open_bound(AF_INET6, local, reuse_port);
    bool no_ipv6 = errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL;
    if (descriptor >= 0 || !is_unspecified_ipv6(local) || !no_ipv6)
        return descriptor;
    struct address any = address_from_ipv4((const uint8_t[4]){0, 0, 0, 0}, local->port);
    return open_bound(AF_INET, &any, reuse_port);
}

static bool set_up(struct udp_socket *socket)
{
    struct sockaddr_storage sockaddr = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof sockaddr;
    if (getsockname(socket->descriptor, (struct sockaddr *)&sockaddr, &length) != 0)
        return false;
    if (!socket_address_import((const struct sockaddr *)&sockaddr, length, &socket->local)) {
        errno = EAFNOSUPPORT;
        return false;
    }
    socket->family = sockaddr.ss_family;
    enlarge_receive_buffer(socket->descriptor);
    return ask_for_destination(socket->descriptor, socket->family) &&
           set_option(socket->descriptor, SOL_SOCKET, SO_RXQ_OVFL, ON);
}

/* Owns the descriptor at once. */
static struct udp_socket *make(int descriptor, struct error_text *error)
{
    struct udp_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL) {
        error_text_set(error, "out of memory");
        (void)close(descriptor);
        return NULL;
    }
    socket->descriptor = descriptor;
    if (!set_up(socket)) {
        error_text_set(error, "cannot set up a UDP socket: %s", strerrordesc_np(errno));
        udp_socket_close(socket);
        return NULL;
    }
    udp_receive_prepare(socket);
    udp_send_prepare(socket);
    return socket;
}

struct udp_socket *udp_socket_open(const struct address *local, bool reuse_port, struct error_text *error)
{
    int descriptor = open_for_address(local, reuse_port);
    if (descriptor >= 0)
        return make(descriptor, error);
    const char *reason = strerrordesc_np(errno);
    char text[ADDRESS_TEXT_SIZE];
    address_format(local, text);
    error_text_set(error, "cannot listen on UDP %s: %s", text, reason);
    return NULL;
}

struct udp_socket *udp_socket_adopt(int descriptor, struct error_text *error)
{
    return make(descriptor, error);
}

void udp_socket_close(struct udp_socket *socket)
{
    if (socket == NULL)
        return;
    (void)close(socket->descriptor);
    free(socket);
}

int udp_socket_descriptor(const struct udp_socket *socket)
{
    return socket->descriptor;
}

struct address udp_socket_local(const struct udp_socket *socket)
{
    return socket->local;
}

size_t udp_socket_receive_buffer(const struct udp_socket *socket)
{
    int size = 0;
    socklen_t length = sizeof size;
    if (getsockopt(socket->descriptor, SOL_SOCKET, SO_RCVBUF, &size, &length) != 0 || size < 0)
        return 0;
    /* The kernel counts its overhead by doubling what was asked for (socket(7)). */
    return (size_t)size / 2;
}

const struct udp_socket_counters *udp_socket_counters(const struct udp_socket *socket)
{
    return &socket->counters;
}
