#define _GNU_SOURCE
#include "platform/inherited_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "platform/socket_address.h"

#define LISTENING 1
#define LISTENING_OR_NOT (-1)

static bool is_internet_socket(int descriptor, int type, int listening)
{
    return sd_is_socket(descriptor, AF_INET, type, listening) > 0 ||
           sd_is_socket(descriptor, AF_INET6, type, listening) > 0;
}

static bool protocol_is(int descriptor, int protocol)
{
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &value, &length) == 0 && value == protocol;
}

static bool find_transport(int descriptor, enum inherited_socket_transport *transport)
{
    if (is_internet_socket(descriptor, SOCK_STREAM, LISTENING) && protocol_is(descriptor, IPPROTO_TCP))
        *transport = INHERITED_SOCKET_TCP;
    else if (is_internet_socket(descriptor, SOCK_DGRAM, LISTENING_OR_NOT) && protocol_is(descriptor, IPPROTO_UDP))
        *transport = INHERITED_SOCKET_UDP;
    else
        return false;
    return true;
}

static bool set_non_blocking(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);
    return flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool inspect(int descriptor, struct inherited_socket *inherited, struct error_text *error)
{
    inherited->descriptor = descriptor;
    int family = sd_is_socket(descriptor, AF_INET6, 0, LISTENING_OR_NOT) > 0 ? AF_INET6 : AF_INET;
    inherited->family = family;
    if (!find_transport(descriptor, &inherited->transport)) {
        error_text_set(error, "inherited descriptor %d is neither a TCP listener nor a UDP socket", descriptor);
        return false;
    }
    if (!socket_address_local(descriptor, &inherited->local) || !set_non_blocking(descriptor)) {
        error_text_set(error, "cannot use inherited descriptor %d: %s", descriptor, strerrordesc_np(errno));
        return false;
    }
    return true;
}

static void close_range_from_start(int count)
{
    for (int i = 0; i < count; i++)
        (void)close(SD_LISTEN_FDS_START + i);
}

bool inherited_sockets_take(struct inherited_sockets *inherited, struct error_text *error)
{
    struct inherited_sockets found = {.count = 0};
    int count = sd_listen_fds(1);
    if (count < 0) {
        error_text_set(error, "cannot take over inherited sockets: %s", strerrordesc_np(-count));
        return false;
    }
    if (count > INHERITED_SOCKETS_MAX) {
        error_text_set(error, "%d sockets were handed over, at most %d can be used", count, INHERITED_SOCKETS_MAX);
        close_range_from_start(count);
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (!inspect(SD_LISTEN_FDS_START + i, &found.sockets[i], error)) {
            close_range_from_start(count);
            return false;
        }
        found.count++;
    }
    *inherited = found;
    return true;
}

void inherited_sockets_close(struct inherited_sockets *inherited)
{
    for (size_t i = 0; i < inherited->count; i++) {
        if (inherited->sockets[i].descriptor >= 0)
            (void)close(inherited->sockets[i].descriptor);
        inherited->sockets[i].descriptor = -1;
    }
}
