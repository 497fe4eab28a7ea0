#include "device/program/line.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_BUFFER 8192 /* a microcontroller's: a gateway that stops reading is felt after few messages */

static bool address_of(const char *host, uint16_t port, struct sockaddr_in *address)
{
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    return inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

static bool set(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

static bool prepare(int descriptor, enum strict_transport transport)
{
    if (transport == STRICT_UDP)
        return true;
    return set(descriptor, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER) && set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1) &&
           set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
}

bool line_open(struct line *line, enum strict_transport transport, const char *host, uint16_t port, const char *source,
               uint16_t source_port)
{
    struct sockaddr_in peer;
    struct sockaddr_in own;
    if (!address_of(host, port, &peer) || !address_of(source, source_port, &own))
        return false;
    int type = transport == STRICT_UDP ? SOCK_DGRAM : SOCK_STREAM;
    int descriptor = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return false;
    if (!prepare(descriptor, transport) || bind(descriptor, (struct sockaddr *)&own, sizeof own) != 0 ||
        (connect(descriptor, (struct sockaddr *)&peer, sizeof peer) != 0 && errno != EINPROGRESS)) {
        (void)close(descriptor);
        return false;
    }
    *line = (struct line){.descriptor = descriptor, .transport = transport, .connecting = transport == STRICT_TCP};
    return true;
}

void line_close(struct line *line, bool reset)
{
    struct linger linger = {.l_onoff = 1};
    if (line->descriptor < 0)
        return;
    if (reset)
        (void)setsockopt(line->descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    (void)close(line->descriptor);
    line->descriptor = -1;
    line->unsent_size = 0;
}

uint16_t line_local_port(const struct line *line)
{
    struct sockaddr_in own = {0};
    socklen_t size = sizeof own;
    if (getsockname(line->descriptor, (struct sockaddr *)&own, &size) != 0)
        return 0;
    return ntohs(own.sin_port);
}

bool line_has_connected(struct line *line)
{
    int error = 0;
    socklen_t size = sizeof error;
    line->connecting = false;
    return getsockopt(line->descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

void line_flush(struct line *line)
{
    while (line->unsent_size > 0) {
        ssize_t sent = send(line->descriptor, line->unsent, line->unsent_size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent < 0) {
            /* Reading will show that the connection is gone. */
            line->unsent_size = 0;
            return;
        }
        line->unsent_size -= (size_t)sent;
        memmove(line->unsent, line->unsent + sent, line->unsent_size);
    }
}

void line_send(struct line *line, const uint8_t *bytes, size_t size)
{
    if (line->descriptor < 0)
        return;
    if (line->transport == STRICT_UDP) {
        (void)!send(line->descriptor, bytes, size, 0);
        return;
    }
    assert(size <= sizeof line->unsent - line->unsent_size);
    memcpy(line->unsent + line->unsent_size, bytes, size);
    line->unsent_size += size;
    line_flush(line);
}

enum line_verdict line_receive(struct line *line, uint8_t *bytes, size_t room, size_t *size)
{
    ssize_t received = recv(line->descriptor, bytes, room, 0);
    /* On a datagram's socket an error is what a router said about an earlier one. */
    if (received < 0)
        return errno == EAGAIN || errno == EINTR || line->transport == STRICT_UDP ? LINE_NOTHING : LINE_CLOSED;
    if (received == 0 && line->transport == STRICT_TCP)
        return LINE_CLOSED;
    *size = (size_t)received;
    return LINE_BYTES;
}
