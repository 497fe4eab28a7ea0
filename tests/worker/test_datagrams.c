#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/datagrams.h"
#include "worker/udp_client.h"

#define HEARD_MAX 1024

/* Stands in for the shard: keeps what it hears and answers everything with the same bytes on the same path. */
static struct {
    size_t count;
    struct shard_path paths[HEARD_MAX];
    size_t sizes[HEARD_MAX];
    uint8_t first[HEARD_MAX];
    bool answers;
} heard;

static uv_loop_t loop;
static struct datagrams datagrams;
static int init_error;
static int start_error;

void __wrap_shard_datagram(struct shard *shard, const struct shard_path *path, const uint8_t *bytes, size_t size,
                           struct shard_time now);
void __wrap_shard_datagram(struct shard *shard, const struct shard_path *path, const uint8_t *bytes, size_t size,
                           struct shard_time now)
{
    (void)shard;
    assert_int_equal(now.monotonic, 7);
    assert_true(heard.count < HEARD_MAX);
    heard.paths[heard.count] = *path;
    heard.sizes[heard.count] = size;
    heard.first[heard.count++] = size > 0 ? bytes[0] : 0;
    if (heard.answers)
        datagrams_send(&datagrams, path, bytes, size);
}

int __real_uv_poll_init(uv_loop_t *on, uv_poll_t *poll, int descriptor);
int __wrap_uv_poll_init(uv_loop_t *on, uv_poll_t *poll, int descriptor);
int __wrap_uv_poll_init(uv_loop_t *on, uv_poll_t *poll, int descriptor)
{
    return init_error != 0 ? init_error : __real_uv_poll_init(on, poll, descriptor);
}

int __real_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback)
{
    return start_error != 0 ? start_error : __real_uv_poll_start(poll, events, callback);
}

static struct shard_time at_seven(void *context)
{
    (void)context;
    return (struct shard_time){.monotonic = 7};
}

static int begin(void **state)
{
    (void)state;
    memset(&heard, 0, sizeof heard);
    heard.answers = true;
    init_error = start_error = 0;
    datagrams = (struct datagrams){.now = at_seven};
    return uv_loop_init(&loop);
}

static int end(void **state)
{
    (void)state;
    datagrams_close(&datagrams);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    return uv_loop_close(&loop);
}

static void turn(void)
{
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    datagrams_flush(&datagrams);
}

/* Returns the port. */
static uint16_t add(const char *host, uint16_t port)
{
    struct error_text error;
    struct address local;
    assert_true(address_parse_host(host, &local));
    local.port = port;
    struct udp_socket *socket = udp_socket_open(&local, false, &error);
    assert_non_null(socket);
    assert_int_equal(datagrams_add(&datagrams, &loop, socket), 0);
    return udp_socket_local(socket).port;
}

static void start(void)
{
    assert_int_equal(datagrams_start(&datagrams), 0);
}

/* A connected client hears answers from the address that it has called only. */
static void expect_answered(const char *host, uint16_t port)
{
    int client = udp_client_open(host, port);
    udp_client_send(client, host, strlen(host));
    turn();
    udp_client_expect(client, host, strlen(host));
    assert_int_equal(close(client), 0);
}

static void test_answers_leave_from_the_address_that_was_called(void **state)
{
    (void)state;
    uint16_t port = add("::", 0);
    start();
    expect_answered("127.0.0.1", port);
    expect_answered("127.0.0.2", port);
    expect_answered("::1", port);
    assert_int_equal(heard.count, 3);
}

static void test_each_address_of_a_list_answers_for_itself(void **state)
{
    (void)state;
    uint16_t port = add("127.0.0.1", 0);
    uint16_t other_port = add("127.0.0.2", 0);
    assert_int_equal(add("127.0.0.3", port), port);
    assert_int_equal(add("::1", port), port);
    start();
    expect_answered("127.0.0.1", port);
    expect_answered("127.0.0.2", other_port);
    expect_answered("127.0.0.3", port);
    expect_answered("::1", port);
}

/* One socket for any address of a family beside one for a single address of the other. */
static void test_families_of_one_port_do_not_mix(void **state)
{
    (void)state;
    uint16_t port = add("0.0.0.0", 0);
    assert_int_equal(add("::1", port), port);
    start();
    expect_answered("127.0.0.1", port);
    expect_answered("127.0.0.2", port);
    expect_answered("::1", port);
    assert_int_equal(datagrams.count, 2);
    assert_int_equal(udp_socket_counters(datagrams.sockets[1].socket)->send_refused, 0);
}

static void test_a_socket_for_any_ipv6_address_leaves_ipv4_to_another(void **state)
{
    (void)state;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    int only = 1;
    int descriptor = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only), 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&any, sizeof any), 0);
    struct error_text error;
    struct udp_socket *inherited = udp_socket_adopt(descriptor, &error);
    assert_non_null(inherited);
    uint16_t port = udp_socket_local(inherited).port;
    for (int first = 0; first < 2; first++) {
        if (first == 0)
            assert_int_equal(datagrams_add(&datagrams, &loop, inherited), 0);
        else
            assert_int_equal(add("0.0.0.0", port), port);
    }
    start();
    expect_answered("127.0.0.2", port);
    expect_answered("::1", port);
}

static void test_a_turn_takes_its_share_of_a_socket(void **state)
{
    (void)state;
    enum { SHARE = DATAGRAMS_BATCHES * UDP_SOCKET_BATCH };
    uint16_t port = add("127.0.0.1", 0);
    heard.answers = false;
    start();
    int client = udp_client_open("127.0.0.1", port);
    for (unsigned i = 0; i < SHARE + 3; i++) {
        uint8_t number = (uint8_t)i;
        udp_client_send(client, &number, 1);
    }
    turn();
    assert_int_equal(heard.count, SHARE);
    turn();
    assert_int_equal(heard.count, SHARE + 3);
    for (unsigned i = 0; i < SHARE + 3; i++)
        assert_int_equal(heard.first[i], (uint8_t)i);
    assert_int_equal(close(client), 0);
}

static void test_what_is_queued_leaves_with_the_flush(void **state)
{
    (void)state;
    uint16_t port = add("127.0.0.1", 0);
    start();
    int client = udp_client_open("127.0.0.1", port);
    udp_client_send(client, "x", 1);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    udp_client_expect_nothing(client);
    datagrams_flush(&datagrams);
    udp_client_expect(client, "x", 1);
    assert_int_equal(close(client), 0);
}

static void test_more_than_a_queue_leaves_before_the_flush(void **state)
{
    (void)state;
    uint16_t port = add("127.0.0.1", 0);
    start();
    int client = udp_client_open("127.0.0.1", port);
    for (uint8_t i = 0; i < UDP_SOCKET_BATCH + 1; i++)
        udp_client_send(client, &i, 1);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    for (uint8_t i = 0; i < UDP_SOCKET_BATCH; i++)
        udp_client_expect(client, &i, 1);
    udp_client_expect_nothing(client);
    datagrams_flush(&datagrams);
    udp_client_expect(client, &(uint8_t){UDP_SOCKET_BATCH}, 1);
    assert_int_equal(close(client), 0);
}

static void test_nobody_reads_a_datagram_that_is_too_long(void **state)
{
    (void)state;
    char bytes[1500] = "x";
    uint16_t port = add("127.0.0.1", 0);
    heard.answers = false;
    start();
    int client = udp_client_open("127.0.0.1", port);
    udp_client_send(client, bytes, UDP_SOCKET_DATAGRAM_MAX);
    udp_client_send(client, bytes, UDP_SOCKET_DATAGRAM_MAX + 1);
    udp_client_send(client, bytes, sizeof bytes);
    udp_client_send(client, bytes, 0);
    turn();
    assert_int_equal(heard.count, 4);
    assert_int_equal(heard.sizes[0], UDP_SOCKET_DATAGRAM_MAX);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(heard.sizes[i], 0);
    assert_int_equal(close(client), 0);
}

static void test_an_answer_to_somebody_who_is_gone_hurts_nobody(void **state)
{
    (void)state;
    uint16_t port = add("127.0.0.1", 0);
    start();
    int gone = udp_client_open("127.0.0.1", port);
    udp_client_send(gone, "x", 1);
    assert_int_equal(close(gone), 0);
    turn();
    expect_answered("127.0.0.1", port);
    assert_int_equal(heard.count, 2);
}

/* An inherited socket may bring an error along; libuv stops watching whatever has one. */
static void test_an_error_of_the_socket_does_not_deafen_it(void **state)
{
    (void)state;
    int nobody = udp_client_open("127.0.0.1", 9);
    struct address closed = udp_client_local(nobody);
    assert_int_equal(close(nobody), 0);
    uint16_t port = add("127.0.0.1", 0);
    int descriptor = udp_socket_descriptor(datagrams.sockets[0].socket);
    start();
    struct sockaddr_storage name;
    socklen_t length = socket_address_export(&closed, AF_INET, 0, &name);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&name, length), 0);
    assert_int_equal(send(descriptor, "x", 1, 0), 1); /* nobody is there, and that waits for us as an error */
    turn();
    int caller = udp_client_open("127.0.0.1", port);
    closed = udp_client_local(caller);
    length = socket_address_export(&closed, AF_INET, 0, &name);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&name, length), 0); /* hears this one only */
    udp_client_send(caller, "y", 1);
    turn();
    udp_client_expect(caller, "y", 1);
    assert_int_equal(close(caller), 0);
}

static void test_datagrams_that_the_kernel_dropped_are_counted(void **state)
{
    (void)state;
    uint16_t port = add("127.0.0.1", 0);
    uint16_t other_port = add("127.0.0.2", 0);
    int size = 1;
    for (size_t i = 0; i < 2; i++) {
        int descriptor = udp_socket_descriptor(datagrams.sockets[i].socket);
        assert_int_equal(setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    }
    heard.answers = false;
    start();
    assert_int_equal(datagrams_lost(&datagrams), 0);
    int clients[] = {udp_client_open("127.0.0.1", port), udp_client_open("127.0.0.2", other_port)};
    for (unsigned i = 0; i < 100; i++) {
        udp_client_send(clients[0], "x", 1);
        udp_client_send(clients[1], "x", 1);
    }
    turn();
    size_t before = heard.count;
    assert_true(before < 200);
    /* The kernel tells with the next one that arrives. */
    udp_client_send(clients[0], "x", 1);
    udp_client_send(clients[1], "x", 1);
    turn();
    assert_int_equal(heard.count, before + 2);
    assert_int_equal(datagrams_lost(&datagrams), 200 - before);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(close(clients[i]), 0);
}

static void test_a_socket_that_cannot_be_watched_stays_the_callers(void **state)
{
    (void)state;
    struct error_text error;
    struct address local;
    assert_true(address_parse("127.0.0.1:0", &local));
    struct udp_socket *socket = udp_socket_open(&local, false, &error);
    assert_non_null(socket);
    init_error = UV_EPERM;
    assert_int_equal(datagrams_add(&datagrams, &loop, socket), UV_EPERM);
    assert_int_equal(datagrams.count, 0);
    udp_socket_close(socket);
}

static void test_a_start_that_fails_says_so(void **state)
{
    (void)state;
    (void)add("127.0.0.1", 0);
    start_error = UV_EINVAL;
    assert_int_equal(datagrams_start(&datagrams), UV_EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers_leave_from_the_address_that_was_called),
        TEST(test_each_address_of_a_list_answers_for_itself),
        TEST(test_families_of_one_port_do_not_mix),
        TEST(test_a_socket_for_any_ipv6_address_leaves_ipv4_to_another),
        TEST(test_a_turn_takes_its_share_of_a_socket),
        TEST(test_what_is_queued_leaves_with_the_flush),
        TEST(test_more_than_a_queue_leaves_before_the_flush),
        TEST(test_nobody_reads_a_datagram_that_is_too_long),
        TEST(test_an_answer_to_somebody_who_is_gone_hurts_nobody),
        TEST(test_an_error_of_the_socket_does_not_deafen_it),
        TEST(test_datagrams_that_the_kernel_dropped_are_counted),
        TEST(test_a_socket_that_cannot_be_watched_stays_the_callers),
        TEST(test_a_start_that_fails_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
