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

/* What the next calls of sendmmsg() do: a number of datagrams that are really sent, or an errno as a negative one.
 * After the last they all go through. */
static const int *script;
static size_t script_length;
static unsigned calls;
static bool hold_back; /* keeps the headers for a look and claims that all were sent */
static const struct mmsghdr *held;
static unsigned held_count;

int __real_sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int descriptor, struct mmsghdr *messages, unsigned count, int flags)
{
    calls++;
    if (hold_back) {
        held = messages;
        held_count = count;
        return (int)count;
    }
    if (script_length == 0)
        return __real_sendmmsg(descriptor, messages, count, flags);
    int step = *script++;
    script_length--;
    if (step >= 0)
        return __real_sendmmsg(descriptor, messages, (unsigned)step, flags);
    errno = -step;
    return -1;
}

#define SCRIPT(...)                                                                                                    \
    do {                                                                                                               \
        static const int steps[] = {__VA_ARGS__};                                                                      \
        script = steps;                                                                                                \
        script_length = sizeof steps / sizeof steps[0];                                                                \
    } while (0)

static struct udp_socket *server;
static int client;
static struct shard_path path; /* from the server to the client */

static int begin_at(const char *local_text, const char *host)
{
    struct address local;
    struct error_text error;
    struct udp_datagram datagrams[UDP_SOCKET_BATCH];
    script_length = 0;
    calls = 0;
    hold_back = false;
    if (!address_parse(local_text, &local) || (server = udp_socket_open(&local, false, &error)) == NULL)
        return -1;
    client = udp_client_open(host, udp_socket_local(server).port);
    udp_client_send(client, "x", 1);
    if (udp_socket_receive(server, datagrams) != 1)
        return -1;
    path = datagrams[0].path;
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return begin_at("[::]:0", "127.0.0.2");
}

static int end(void **state)
{
    (void)state;
    udp_socket_close(server);
    return close(client);
}

static void queue_numbers(uint8_t first, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        uint8_t number = (uint8_t)(first + i);
        udp_socket_queue(server, &path, &number, 1);
    }
}

static void expect_numbers(uint8_t first, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        uint8_t number = (uint8_t)(first + i);
        udp_client_expect(client, &number, 1);
    }
}

static void assert_counters(uint64_t sent, uint64_t full, uint64_t refused)
{
    const struct udp_socket_counters *counters = udp_socket_counters(server);
    assert_int_equal(counters->sent, sent);
    assert_int_equal(counters->send_full, full);
    assert_int_equal(counters->send_refused, refused);
}

/* The client is connected, so it hears nothing from another address than the one it called. */
static void test_answers_come_from_the_address_that_was_called(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"[::]:0", "127.0.0.1"},    {"[::]:0", "127.0.0.2"},      {"[::]:0", "::1"},
        {"0.0.0.0:0", "127.9.8.7"}, {"127.0.0.3:0", "127.0.0.3"}, {"[::1]:0", "::1"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(end(NULL), 0);
        assert_int_equal(begin_at(cases[i][0], cases[i][1]), 0);
        udp_socket_queue(server, &path, (const uint8_t *)"answer", 6);
        udp_client_expect_nothing(client);
        udp_socket_flush(server);
        udp_client_expect(client, "answer", 6);
        assert_counters(1, 0, 0);
    }
}

static void test_without_a_local_address_the_kernel_chooses(void **state)
{
    (void)state;
    /* The peer is 127.0.0.1, so that is the address the kernel takes; the client called 127.0.0.2 and hears nothing. */
    memset(path.local.bytes, 0, sizeof path.local.bytes);
    udp_socket_queue(server, &path, (const uint8_t *)"answer", 6);
    udp_socket_flush(server);
    udp_client_expect_nothing(client);
    assert_counters(1, 0, 0);

    assert_int_equal(end(NULL), 0);
    assert_int_equal(begin_at("0.0.0.0:0", "127.0.0.1"), 0);
    memset(path.local.bytes, 0, sizeof path.local.bytes);
    udp_socket_queue(server, &path, (const uint8_t *)"answer", 6);
    udp_socket_flush(server);
    udp_client_expect(client, "answer", 6);
}

static void test_one_call_for_a_whole_queue(void **state)
{
    (void)state;
    queue_numbers(0, 64);
    assert_int_equal(calls, 0);
    udp_socket_flush(server);
    assert_int_equal(calls, 1);
    expect_numbers(0, 64);
    udp_socket_flush(server);
    assert_int_equal(calls, 1);
}

static void test_a_full_queue_goes_first(void **state)
{
    (void)state;
    queue_numbers(0, 65);
    assert_int_equal(calls, 1);
    expect_numbers(0, 64);
    udp_client_expect_nothing(client);
    udp_socket_flush(server);
    expect_numbers(64, 1);
    assert_counters(65, 0, 0);
}

static void test_sizes(void **state)
{
    (void)state;
    uint8_t bytes[UDP_SOCKET_DATAGRAM_MAX];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    udp_socket_queue(server, &path, bytes, sizeof bytes);
    udp_socket_queue(server, &path, NULL, 0);
    udp_socket_queue(server, &path, bytes, 7);
    memset(bytes, 0, 7); /* it was copied */
    udp_socket_flush(server);
    for (size_t i = 0; i < 7; i++)
        bytes[i] = (uint8_t)(i * 7);
    udp_client_expect(client, bytes, sizeof bytes);
    udp_client_expect(client, "", 0);
    udp_client_expect(client, bytes, 7);
}

static void test_many_peers_in_one_queue(void **state)
{
    (void)state;
    struct udp_datagram datagrams[UDP_SOCKET_BATCH];
    static const char *const hosts[] = {"127.0.0.1", "::1", "127.0.0.2", "127.0.0.3"};
    int clients[4];
    for (size_t i = 0; i < 4; i++) {
        clients[i] = udp_client_open(hosts[i], udp_socket_local(server).port);
        udp_client_send(clients[i], hosts[i], strlen(hosts[i]));
    }
    size_t count = udp_socket_receive(server, datagrams);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        udp_socket_queue(server, &datagrams[i].path, datagrams[i].bytes, datagrams[i].size);
    udp_socket_flush(server);
    for (size_t i = 0; i < 4; i++) {
        udp_client_expect(clients[i], hosts[i], strlen(hosts[i]));
        assert_int_equal(close(clients[i]), 0);
    }
}

static void test_a_part_that_was_taken_is_not_sent_again(void **state)
{
    (void)state;
    SCRIPT(3, 1, 0, 4);
    queue_numbers(0, 10);
    udp_socket_flush(server);
    expect_numbers(0, 10);
    udp_client_expect_nothing(client);
    assert_int_equal(calls, 5);
    assert_counters(10, 0, 0);
}

static void test_an_interrupted_call_goes_on(void **state)
{
    (void)state;
    SCRIPT(-EINTR, 2, -EINTR);
    queue_numbers(0, 5);
    udp_socket_flush(server);
    expect_numbers(0, 5);
    assert_counters(5, 0, 0);
}

static void test_what_a_full_buffer_does_not_take_is_dropped(void **state)
{
    (void)state;
    static const int errors[] = {EAGAIN, ENOBUFS, ENOMEM};
    for (size_t i = 0; i < 3; i++) {
        int steps[] = {2, -errors[i]};
        script = steps;
        script_length = 2;
        queue_numbers(0, 5);
        udp_socket_flush(server);
        expect_numbers(0, 2);
        udp_client_expect_nothing(client);
        assert_counters(2 * (i + 1), 3 * (i + 1), 0);
    }
    queue_numbers(7, 1);
    udp_socket_flush(server);
    expect_numbers(7, 1);
}

static void test_a_peer_that_cannot_be_reached_holds_up_nobody(void **state)
{
    (void)state;
    SCRIPT(2, -EPERM, 1, -ENETUNREACH);
    queue_numbers(0, 6);
    udp_socket_flush(server);
    expect_numbers(0, 2);
    expect_numbers(3, 1);
    expect_numbers(5, 1);
    udp_client_expect_nothing(client);
    assert_counters(4, 0, 2);
}

/* The same with a kernel that means it: nothing can be sent to port 0, nor from an address that is not ours. */
static void test_real_refusals(void **state)
{
    (void)state;
    struct shard_path good = path;
    queue_numbers(0, 1);
    path.peer.port = 0;
    queue_numbers(1, 1);
    path = good;
    path.local = address_from_ipv4((const uint8_t[4]){192, 0, 2, 99}, 9000);
    queue_numbers(2, 1);
    path = good;
    queue_numbers(3, 1);
    udp_socket_flush(server);
    expect_numbers(0, 1);
    expect_numbers(3, 1);
    udp_client_expect_nothing(client);
    assert_counters(2, 0, 2);
}

static void test_an_ipv4_socket_has_no_way_to_ipv6(void **state)
{
    (void)state;
    assert_int_equal(end(NULL), 0);
    assert_int_equal(begin_at("0.0.0.0:0", "127.0.0.2"), 0);
    struct shard_path good = path;
    assert_true(address_parse("[::1]:9", &path.peer));
    queue_numbers(0, 1);
    assert_counters(0, 0, 1);
    /* Nor can it use an IPv6 address to send from. */
    path = good;
    assert_true(address_parse("[::1]:9", &path.local));
    queue_numbers(1, 1);
    udp_socket_flush(server);
    udp_client_expect_nothing(client);
    assert_counters(1, 0, 1);
}

static void test_link_local_peers_have_an_interface(void **state)
{
    (void)state;
    hold_back = true;
    path.interface = 7;
    assert_true(address_parse("[fe80::2]:50123", &path.peer));
    assert_true(address_parse("[fe80::1]:9000", &path.local));
    queue_numbers(0, 1);
    udp_socket_flush(server);
    assert_int_equal(held_count, 1);
    struct sockaddr_in6 peer;
    assert_int_equal(held->msg_hdr.msg_namelen, sizeof peer);
    memcpy(&peer, held->msg_hdr.msg_name, sizeof peer);
    assert_int_equal(peer.sin6_scope_id, 7);
    assert_int_equal(ntohs(peer.sin6_port), 50123);
    assert_memory_equal(&peer.sin6_addr, path.peer.bytes, 16);

    struct msghdr header = held->msg_hdr;
    const struct cmsghdr *control = CMSG_FIRSTHDR(&header);
    assert_non_null(control);
    assert_int_equal(control->cmsg_level, IPPROTO_IPV6);
    assert_int_equal(control->cmsg_type, IPV6_PKTINFO);
    struct in6_pktinfo info;
    assert_int_equal(control->cmsg_len, CMSG_LEN(sizeof info));
    memcpy(&info, CMSG_DATA(control), sizeof info);
    assert_int_equal(info.ipi6_ifindex, 7);
    assert_memory_equal(&info.ipi6_addr, path.local.bytes, 16);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers_come_from_the_address_that_was_called),
        TEST(test_without_a_local_address_the_kernel_chooses),
        TEST(test_one_call_for_a_whole_queue),
        TEST(test_a_full_queue_goes_first),
        TEST(test_sizes),
        TEST(test_many_peers_in_one_queue),
        TEST(test_a_part_that_was_taken_is_not_sent_again),
        TEST(test_an_interrupted_call_goes_on),
        TEST(test_what_a_full_buffer_does_not_take_is_dropped),
        TEST(test_a_peer_that_cannot_be_reached_holds_up_nobody),
        TEST(test_real_refusals),
        TEST(test_an_ipv4_socket_has_no_way_to_ipv6),
        TEST(test_link_local_peers_have_an_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
