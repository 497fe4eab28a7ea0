#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/udp_client.h"
#include "worker/udp_socket.h"

static int recvmmsg_error;         /* once */
static uint32_t invented_drops;    /* instead of a real call: one datagram with this count of the kernel's */
static const char *invented_local; /* … or with this IPv6 destination, on interface 7 */
static const char *invented_peer;
static sa_family_t invented_family; /* … or from an address of this family */

static void invent_datagram(struct mmsghdr *message)
{
    struct msghdr *header = &message->msg_hdr;
    message->msg_len = 1;
    struct address peer;
    assert_true(address_parse(invented_peer != NULL ? invented_peer : "[::1]:1", &peer));
    struct sockaddr_storage sockaddr;
    header->msg_namelen = socket_address_export(&peer, AF_INET6, 7, &sockaddr);
    if (invented_family != 0)
        sockaddr.ss_family = invented_family;
    memcpy(header->msg_name, &sockaddr, header->msg_namelen);

    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    size_t used = 0;
    if (invented_drops != 0) {
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SO_RXQ_OVFL;
        control->cmsg_len = CMSG_LEN(sizeof invented_drops);
        memcpy(CMSG_DATA(control), &invented_drops, sizeof invented_drops);
        used = CMSG_SPACE(sizeof invented_drops);
    }
    if (invented_local != NULL) {
        struct address local;
        assert_true(address_parse_host(invented_local, &local));
        struct in6_pktinfo info = {.ipi6_ifindex = 7};
        memcpy(&info.ipi6_addr, local.bytes, 16);
        control->cmsg_level = IPPROTO_IPV6;
        control->cmsg_type = IPV6_PKTINFO;
        control->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(control), &info, sizeof info);
        used = CMSG_SPACE(sizeof info);
    }
    header->msg_controllen = used;
}

int __real_recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
int __wrap_recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
int __wrap_recvmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    if (recvmmsg_error != 0) {
        errno = recvmmsg_error;
        recvmmsg_error = 0;
        return -1;
    }
    if (invented_drops != 0 || invented_local != NULL || invented_family != 0) {
        invent_datagram(&messages[0]);
        return 1;
    }
    return __real_recvmmsg(descriptor, messages, count, flags, timeout);
}

static struct udp_socket *server;
static uint16_t port;
static struct udp_datagram datagrams[UDP_SOCKET_BATCH];

static int open_server(const char *text)
{
    struct address local;
    struct error_text error;
    if (!address_parse(text, &local) || (server = udp_socket_open(&local, false, &error)) == NULL)
        return -1;
    port = udp_socket_local(server).port;
    return 0;
}

static int begin(void **state)
{
    (void)state;
    recvmmsg_error = 0;
    invented_drops = 0;
    invented_local = invented_peer = NULL;
    invented_family = 0;
    return open_server("[::]:0");
}

static int end(void **state)
{
    (void)state;
    udp_socket_close(server);
    return 0;
}

static void assert_path(const struct shard_path *path, int client, const char *local)
{
    struct address expected_peer = udp_client_local(client);
    struct address expected_local;
    assert_true(address_parse_host(local, &expected_local));
    expected_local.port = port;
    assert_true(address_equal(&path->peer, &expected_peer));
    assert_true(address_equal(&path->local, &expected_local));
    assert_int_equal(path->interface, 0);
}

static void assert_both_ends_are_known(const char *host)
{
    int client = udp_client_open(host, port);
    udp_client_send(client, "hello", 5);
    assert_int_equal(udp_socket_receive(server, datagrams), 1);
    assert_int_equal(datagrams[0].size, 5);
    assert_memory_equal(datagrams[0].bytes, "hello", 5);
    assert_false(datagrams[0].oversized);
    assert_path(&datagrams[0].path, client, host);
    assert_int_equal(close(client), 0);
}

static void test_both_ends_are_known(void **state)
{
    (void)state;
    assert_both_ends_are_known("127.0.0.1");
    assert_both_ends_are_known("127.0.0.2");
    assert_both_ends_are_known("::1");
    udp_socket_close(server);
    assert_int_equal(open_server("0.0.0.0:0"), 0);
    assert_both_ends_are_known("127.0.0.1");
    assert_both_ends_are_known("127.9.8.7");
}

static void test_nothing_there(void **state)
{
    (void)state;
    assert_int_equal(udp_socket_receive(server, datagrams), 0);
    assert_int_equal(udp_socket_counters(server)->received, 0);
    assert_int_equal(udp_socket_counters(server)->receive_errors, 0);
}

static void test_batches_keep_order_and_sender(void **state)
{
    (void)state;
    int clients[2] = {udp_client_open("127.0.0.1", port), udp_client_open("::1", port)};
    for (uint8_t i = 0; i < 150; i++)
        udp_client_send(clients[i % 2], &i, 1);
    static const size_t expected[] = {64, 64, 22, 0};
    uint8_t next = 0;
    for (size_t batch = 0; batch < 4; batch++) {
        size_t count = udp_socket_receive(server, datagrams);
        assert_int_equal(count, expected[batch]);
        for (size_t i = 0; i < count; i++, next++) {
            assert_int_equal(datagrams[i].size, 1);
            assert_int_equal(datagrams[i].bytes[0], next);
            assert_path(&datagrams[i].path, clients[next % 2], next % 2 == 0 ? "127.0.0.1" : "::1");
        }
    }
    assert_int_equal(udp_socket_counters(server)->received, 150);
    assert_int_equal(close(clients[0]), 0);
    assert_int_equal(close(clients[1]), 0);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        size_t sent;
        size_t received;
        bool oversized;
    } cases[] = {{0, 0, false},    {1, 1, false},    {491, 491, false}, {512, 512, false}, {513, 513, true},
                 {576, 576, true}, {577, 576, true}, {1400, 576, true}, {9000, 576, true}};
    uint8_t bytes[9000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    int client = udp_client_open("::1", port);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        udp_client_send(client, bytes, cases[i].sent);
        assert_int_equal(udp_socket_receive(server, datagrams), 1);
        assert_int_equal(datagrams[0].size, cases[i].received);
        assert_int_equal(datagrams[0].oversized, cases[i].oversized);
        assert_memory_equal(datagrams[0].bytes, bytes, cases[i].received);
    }
    /* The mark of one does not stick to the next in its place. */
    udp_client_send(client, "x", 1);
    assert_int_equal(udp_socket_receive(server, datagrams), 1);
    assert_false(datagrams[0].oversized);
    assert_int_equal(close(client), 0);
}

static void test_what_the_kernel_drops_is_counted(void **state)
{
    (void)state;
    int small = 4096;
    assert_int_equal(setsockopt(udp_socket_descriptor(server), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    int client = udp_client_open("::1", port);
    for (unsigned i = 0; i < 200; i++)
        udp_client_send(client, "x", 1);
    size_t received = 0;
    size_t count;
    while ((count = udp_socket_receive(server, datagrams)) > 0)
        received += count;
    assert_in_range(received, 1, 199);
    /* The count comes with the next datagram. */
    udp_client_send(client, "x", 1);
    received += udp_socket_receive(server, datagrams);
    assert_int_equal(received + udp_socket_counters(server)->receive_dropped, 201);
    assert_int_equal(close(client), 0);
}

static void test_the_kernels_count_may_wrap(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, UINT32_MAX - 9, UINT32_MAX - 9, 5};
    for (size_t i = 0; i < 4; i++) {
        invented_drops = counts[i];
        assert_int_equal(udp_socket_receive(server, datagrams), 1);
    }
    assert_int_equal(udp_socket_counters(server)->receive_dropped, UINT64_C(4294967296) + 5);
}

static void test_the_interface_matters_for_link_local_addresses(void **state)
{
    (void)state;
    invented_local = "fe80::1";
    assert_int_equal(udp_socket_receive(server, datagrams), 1);
    assert_int_equal(datagrams[0].path.interface, 7);
    invented_local = "2001:db8::1";
    assert_int_equal(udp_socket_receive(server, datagrams), 1);
    assert_int_equal(datagrams[0].path.interface, 0);
    invented_peer = "[fe80::2]:5";
    assert_int_equal(udp_socket_receive(server, datagrams), 1);
    assert_int_equal(datagrams[0].path.interface, 7);
}

static void test_senders_of_other_families_are_left_out(void **state)
{
    (void)state;
    invented_family = AF_UNIX;
    assert_int_equal(udp_socket_receive(server, datagrams), 0);
}

static void test_an_interrupted_call_goes_on(void **state)
{
    (void)state;
    int client = udp_client_open("::1", port);
    udp_client_send(client, "x", 1);
    recvmmsg_error = EINTR;
    assert_int_equal(udp_socket_receive(server, datagrams), 1);
    assert_int_equal(udp_socket_counters(server)->receive_errors, 0);
    assert_int_equal(close(client), 0);
}

static void test_errors_are_counted_and_over(void **state)
{
    (void)state;
    int client = udp_client_open("::1", port);
    udp_client_send(client, "x", 1);
    recvmmsg_error = ENOMEM;
    assert_int_equal(udp_socket_receive(server, datagrams), 0);
    assert_int_equal(udp_socket_counters(server)->receive_errors, 1);
    assert_int_equal(udp_socket_receive(server, datagrams), 1);
    assert_int_equal(udp_socket_counters(server)->receive_errors, 1);
    assert_int_equal(close(client), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_both_ends_are_known),
        TEST(test_nothing_there),
        TEST(test_batches_keep_order_and_sender),
        TEST(test_sizes),
        TEST(test_what_the_kernel_drops_is_counted),
        TEST(test_the_kernels_count_may_wrap),
        TEST(test_the_interface_matters_for_link_local_addresses),
        TEST(test_senders_of_other_families_are_left_out),
        TEST(test_an_interrupted_call_goes_on),
        TEST(test_errors_are_counted_and_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
