#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/udp_client.h"
#include "worker/udp_socket.h"

static bool calloc_fails;
static bool no_ipv6;
static int ipv6_bind_error;
static int failing_level = -1;
static int failing_option = -1;
static bool getsockname_fails;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return calloc_fails ? NULL : __real_calloc(count, size);
}

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
    if (!no_ipv6 || family != AF_INET6)
        return __real_socket(family, type, protocol);
    errno = EAFNOSUPPORT;
    return -1;
}

int __real_bind(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
    if (ipv6_bind_error == 0 || address->sa_family != AF_INET6)
        return __real_bind(descriptor, address, length);
    errno = ipv6_bind_error;
    return -1;
}

int __real_setsockopt(int descriptor, int level, int option, const void *value, socklen_t size);
int __wrap_setsockopt(int descriptor, int level, int option, const void *value, socklen_t size);
int __wrap_setsockopt(int descriptor, int level, int option, const void *value, socklen_t size)
{
    if (level != failing_level || option != failing_option)
        return __real_setsockopt(descriptor, level, option, value, size);
    errno = ENOPROTOOPT;
    return -1;
}

int __real_getsockname(int descriptor, struct sockaddr *address, socklen_t *length);
int __wrap_getsockname(int descriptor, struct sockaddr *address, socklen_t *length);
int __wrap_getsockname(int descriptor, struct sockaddr *address, socklen_t *length)
{
    if (!getsockname_fails)
        return __real_getsockname(descriptor, address, length);
    errno = ENOBUFS;
    return -1;
}

static int nothing_fails(void **state)
{
    (void)state;
    calloc_fails = no_ipv6 = getsockname_fails = false;
    ipv6_bind_error = 0;
    failing_level = failing_option = -1;
    return 0;
}

static struct address parsed(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static struct udp_socket *open_at(const char *text, struct error_text *error)
{
    struct address local = parsed(text);
    return udp_socket_open(&local, false, error);
}

static struct udp_socket *opened(const char *text)
{
    struct error_text error;
    struct udp_socket *socket = open_at(text, &error);
    assert_non_null(socket);
    return socket;
}

/* Whether a datagram from a client that calls `host` arrives. */
static bool hears(struct udp_socket *socket, const char *host)
{
    struct udp_datagram datagrams[UDP_SOCKET_BATCH];
    int client = udp_client_open(host, udp_socket_local(socket).port);
    (void)send(client, "x", 1, 0);
    size_t count = udp_socket_receive(socket, datagrams);
    assert_int_equal(close(client), 0);
    return count == 1;
}

static void test_any_address_serves_both_families(void **state)
{
    (void)state;
    struct udp_socket *socket = opened("[::]:0");
    assert_int_not_equal(udp_socket_local(socket).port, 0);
    assert_true(hears(socket, "127.0.0.1"));
    assert_true(hears(socket, "127.0.0.2"));
    assert_true(hears(socket, "::1"));
    int flags = fcntl(udp_socket_descriptor(socket), F_GETFL);
    assert_int_not_equal(flags & O_NONBLOCK, 0);
    assert_int_not_equal(fcntl(udp_socket_descriptor(socket), F_GETFD) & FD_CLOEXEC, 0);
    udp_socket_close(socket);
    udp_socket_close(NULL);
}

static void test_one_address_serves_itself(void **state)
{
    (void)state;
    struct udp_socket *socket = opened("127.0.0.2:0");
    assert_true(hears(socket, "127.0.0.2"));
    assert_false(hears(socket, "127.0.0.1"));
    udp_socket_close(socket);

    socket = opened("[::1]:0");
    assert_true(hears(socket, "::1"));
    assert_false(hears(socket, "127.0.0.1"));
    udp_socket_close(socket);
}

static void test_without_ipv6_any_address_is_ipv4(void **state)
{
    (void)state;
    no_ipv6 = true;
    struct udp_socket *socket = opened("[::]:0");
    struct address local = udp_socket_local(socket);
    assert_true(address_is_ipv4(&local));
    assert_true(hears(socket, "127.0.0.1"));
    udp_socket_close(socket);

    no_ipv6 = false;
    ipv6_bind_error = EADDRNOTAVAIL;
    socket = opened("[::]:0");
    assert_true(hears(socket, "127.0.0.1"));
    udp_socket_close(socket);
}

static void test_nothing_else_falls_back(void **state)
{
    (void)state;
    struct error_text error;
    no_ipv6 = true;
    assert_null(open_at("[::1]:9", &error));
    assert_string_equal(error.text, "cannot listen on UDP [::1]:9: Address family not supported by protocol");
    no_ipv6 = false;
    ipv6_bind_error = EACCES;
    assert_null(open_at("[::]:9", &error));
    assert_string_equal(error.text, "cannot listen on UDP [::]:9: Permission denied");
}

static void test_an_address_is_had_once(void **state)
{
    (void)state;
    struct udp_socket *first = opened("127.0.0.1:0");
    struct address local = udp_socket_local(first);
    struct error_text error;
    assert_null(udp_socket_open(&local, false, &error));
    assert_non_null(strstr(error.text, "Address already in use"));
    /* Both have to ask for it. */
    assert_null(udp_socket_open(&local, true, &error));
    udp_socket_close(first);
}

static void test_sharing_an_address(void **state)
{
    (void)state;
    struct address local = parsed("[::]:0");
    struct error_text error;
    struct udp_socket *first = udp_socket_open(&local, true, &error);
    assert_non_null(first);
    local = udp_socket_local(first);
    struct udp_socket *second = udp_socket_open(&local, true, &error);
    assert_non_null(second);
    assert_int_equal(udp_socket_local(second).port, local.port);

    struct udp_datagram datagrams[UDP_SOCKET_BATCH];
    size_t sent = 0;
    for (; sent < 32; sent++) {
        int client = udp_client_open("127.0.0.1", local.port);
        udp_client_send(client, "x", 1);
        assert_int_equal(close(client), 0);
    }
    size_t at_first = udp_socket_receive(first, datagrams);
    size_t at_second = udp_socket_receive(second, datagrams);
    assert_int_equal(at_first + at_second, sent);
    assert_in_range(at_first, 1, sent - 1);
    udp_socket_close(first);
    udp_socket_close(second);
}

static void test_the_receive_buffer_is_large(void **state)
{
    (void)state;
    struct udp_socket *socket = opened("127.0.0.1:0");
    size_t with_force = udp_socket_receive_buffer(socket);
    udp_socket_close(socket);
    failing_level = SOL_SOCKET;
    failing_option = SO_RCVBUFFORCE;
    socket = opened("127.0.0.1:0");
    size_t without_force = udp_socket_receive_buffer(socket);
    udp_socket_close(socket);
    if (geteuid() == 0)
        assert_int_equal(with_force, UDP_SOCKET_RECEIVE_BUFFER);
    assert_in_range(without_force, 65536, UDP_SOCKET_RECEIVE_BUFFER);
    assert_true(with_force >= without_force);
}

static void test_adopting(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < 2; i++) {
        int server = udp_client_open(hosts[i], 9);
        struct sockaddr disconnect = {.sa_family = AF_UNSPEC};
        assert_int_equal(connect(server, &disconnect, sizeof disconnect), 0);
        struct sockaddr_storage sockaddr;
        struct address local;
        assert_true(address_parse_host(hosts[i], &local));
        socklen_t length = socket_address_export(&local, i == 0 ? AF_INET : AF_INET6, 0, &sockaddr);
        assert_int_equal(bind(server, (const struct sockaddr *)&sockaddr, length), 0);

        struct error_text error;
        struct udp_socket *socket = udp_socket_adopt(server, &error);
        assert_non_null(socket);
        assert_int_equal(udp_socket_descriptor(socket), server);
        assert_true(hears(socket, hosts[i]));
        udp_socket_close(socket);
        assert_int_equal(fcntl(server, F_GETFD), -1);
    }
}

static void test_adopting_something_else(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    struct error_text error;
    assert_null(udp_socket_adopt(ends[0], &error));
    assert_non_null(strstr(error.text, "cannot set up a UDP socket: Address family not supported"));
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
    assert_int_equal(close(ends[1]), 0);
}

static void test_failures(void **state)
{
    (void)state;
    static const int required[][2] = {
        {IPPROTO_IPV6, IPV6_V6ONLY}, {IPPROTO_IPV6, IPV6_RECVPKTINFO}, {SOL_SOCKET, SO_RXQ_OVFL}};
    struct error_text error;
    for (size_t i = 0; i < 3; i++) {
        failing_level = required[i][0];
        failing_option = required[i][1];
        assert_null(open_at("[::]:0", &error));
        assert_non_null(strstr(error.text, "Protocol not available"));
    }
    failing_level = IPPROTO_IP;
    failing_option = IP_PKTINFO;
    assert_null(open_at("127.0.0.1:0", &error));
    failing_level = SOL_SOCKET;
    failing_option = SO_REUSEPORT;
    struct address local = parsed("[::]:0");
    assert_null(udp_socket_open(&local, true, &error));
    (void)nothing_fails(NULL);

    calloc_fails = true;
    assert_null(open_at("[::]:0", &error));
    assert_string_equal(error.text, "out of memory");
    calloc_fails = false;
    getsockname_fails = true;
    assert_null(open_at("[::]:0", &error));
    assert_non_null(strstr(error.text, "No buffer space available"));
}

static void test_no_failure_keeps_a_descriptor(void **state)
{
    int before = dup(STDIN_FILENO);
    assert_int_equal(close(before), 0);
    test_failures(state);
    (void)nothing_fails(NULL);
    test_nothing_else_falls_back(state);
    int after = dup(STDIN_FILENO);
    assert_int_equal(after, before);
    assert_int_equal(close(after), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nothing_fails, nothing_fails)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_any_address_serves_both_families), TEST(test_one_address_serves_itself),
        TEST(test_without_ipv6_any_address_is_ipv4), TEST(test_nothing_else_falls_back),
        TEST(test_an_address_is_had_once),           TEST(test_sharing_an_address),
        TEST(test_the_receive_buffer_is_large),      TEST(test_adopting),
        TEST(test_adopting_something_else),          TEST(test_failures),
        TEST(test_no_failure_keeps_a_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
