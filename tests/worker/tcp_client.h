#ifndef TESTS_WORKER_TCP_CLIENT_H
#define TESTS_WORKER_TCP_CLIENT_H

/* The other end of a test: a plain TCP connection on loopback. Included after cmocka.h; _GNU_SOURCE. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/address_text.h"
#include "platform/socket_address.h"

/* Connected as soon as it is in the listener's queue: nobody has to accept for that. What is sent arrives at once. */
static inline int tcp_client_open(const char *host, uint16_t port)
{
    struct address address;
    struct sockaddr_storage sockaddr;
    assert_true(address_parse_host(host, &address));
    address.port = port;
    int family = address_is_ipv4(&address) ? AF_INET : AF_INET6;
    int client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client >= 0);
    socklen_t length = socket_address_export(&address, family, 0, &sockaddr);
    int on = 1;
    assert_int_equal(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&sockaddr, length), 0);
    return client;
}

/* Whether the other side has closed or reset it. */
static inline bool tcp_client_is_closed(int client)
{
    char byte;
    ssize_t size = recv(client, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return size == 0 || (size < 0 && errno == ECONNRESET);
}

/* Ends it with a reset in place of an orderly end. */
static inline void tcp_client_reset(int client)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    assert_int_equal(close(client), 0);
}

static inline uint16_t tcp_local_port(int descriptor)
{
    struct address local;
    assert_true(socket_address_local(descriptor, &local));
    return local.port;
}

#endif
