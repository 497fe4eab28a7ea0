#ifndef TESTS_WORKER_UDP_CLIENT_H
#define TESTS_WORKER_UDP_CLIENT_H

/* The other end of a test: a plain connected UDP socket on loopback, so it hears only answers from the address it has
 * called. Included after cmocka.h. */

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/address_text.h"
#include "platform/socket_address.h"

static inline int udp_client_open(const char *host, uint16_t port)
{
    struct address address;
    struct sockaddr_storage sockaddr;
    assert_true(address_parse_host(host, &address));
    address.port = port;
    int family = address_is_ipv4(&address) ? AF_INET : AF_INET6;
    int client = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(client >= 0);
    socklen_t length = socket_address_export(&address, family, 0, &sockaddr);
    assert_int_equal(connect(client, (const struct sockaddr *)&sockaddr, length), 0);
    return client;
}

static inline void udp_client_send(int client, const void *bytes, size_t size)
{
    assert_int_equal(send(client, bytes, size, 0), size);
}

/* Loopback delivers before send() returns, so nothing has to be waited for. */
static inline void udp_client_expect(int client, const void *bytes, size_t size)
{
    char received[2048];
    assert_int_equal(recv(client, received, sizeof received, MSG_DONTWAIT), size);
    assert_memory_equal(received, bytes, size);
}

static inline void udp_client_expect_nothing(int client)
{
    char received[16];
    assert_int_equal(recv(client, received, sizeof received, MSG_DONTWAIT), -1);
}

static inline struct address udp_client_local(int client)
{
    struct address local;
    assert_true(socket_address_local(client, &local));
    return local;
}

#endif
