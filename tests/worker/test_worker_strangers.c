/* More strangers than a turn has a share for (docs/design/sessions-first.md), over real sockets. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/handshake_messages.h>

#include "gateway/shard_internal.h"
#include "worker/gateway_bench.h"
#include "worker/tcp_client.h"
#include "worker/udp_client.h"
#include "worker/worker_internal.h"

#define STRANGERS 40

static int clients[STRANGERS];

/* No work for idle time, so that nothing else keeps the loop awake. */
bool __wrap_shard_idle(struct shard *shard, struct shard_time now);
bool __wrap_shard_idle(struct shard *shard, struct shard_time now)
{
    (void)shard;
    (void)now;
    return false;
}

static void say_hello(uint8_t number)
{
    struct usmp_hello hello = {.device_id = {2, 0, 0, 0, 0, number}, .public_key = {9, number}};
    uint8_t frame[USMP_HELLO_COOKIE_FRAME];
    size_t size = usmp_hello_write(USMP_WIRE_1, 0, &hello, frame);
    assert_int_equal(send(clients[number], frame, size, 0), size);
}

/* Each has heard so many bytes. */
static void expect_answers(size_t size)
{
    for (unsigned number = 0; number < STRANGERS; number++) {
        uint8_t bytes[512];
        size_t heard = 0;
        ssize_t received;
        while ((received = recv(clients[number], bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
            heard += (size_t)received;
        assert_int_equal(heard, size);
        close(clients[number]);
    }
}

static bool is_awake(void)
{
    return uv_backend_timeout(&gateway.loop) == 0;
}

static void test_strangers_wait_for_sessions_and_the_loop_for_strangers(void **state)
{
    (void)state;
    const struct stranger_queue *waiting;
    gateway_open(NULL);
    struct socket_device *device = gateway_connected(USMP_UDP, 2, ID);
    while (is_awake())
        gateway_turn();
    waiting = &gateway.worker->shard->strangers.first_words;
    for (uint8_t number = 0; number < STRANGERS; number++) {
        clients[number] = udp_client_open("127.0.0.1", gateway.udp_port);
        say_hello(number);
    }
    socket_device_send(device, "in time", 7);
    gateway_await_events(2);
    assert_true(waiting->count > 0);
    while (waiting->count > 0) {
        assert_true(is_awake());
        gateway_turn();
    }
    expect_answers(USMP_UTACK_PLAIN_SIZE + USMP_CHALLENGE_FRAME);
}

static void test_strangers_over_tcp_are_read_in_later_turns(void **state)
{
    (void)state;
    gateway_open("limits: {trusted: [127.0.0.1/32]}");
    const struct stream_table *streams = &gateway.worker->shard->streams;
    for (unsigned number = 0; number < STRANGERS; number++)
        clients[number] = tcp_client_open("127.0.0.1", gateway.tcp_port);
    while (streams->silent.count < STRANGERS)
        gateway_turn();
    for (uint8_t number = 0; number < STRANGERS; number++)
        say_hello(number);
    gateway_turn();
    assert_non_null(streams->waiting.first);
    while (streams->waiting.first != NULL) {
        gateway_turn();
        assert_true(is_awake());
    }
    while (streams->silent.count > 0)
        gateway_turn();
    expect_answers(USMP_CHALLENGE_FRAME);
}

/* What strangers bring comes after the outbox was delivered: the loop must not sleep on it. */
static void test_what_strangers_bring_is_delivered(void **state)
{
    (void)state;
    gateway_open(NULL);
    (void)gateway_device(USMP_UDP, 2, ID);
    bool waited = false;
    while (gateway.event_count == 0) {
        gateway_turn();
        bool waits = !seam_outbox_is_empty(&gateway.worker->outbox);
        assert_true(!waits || is_awake());
        waited = waited || waits;
    }
    assert_true(waited);
}

#define TEST(name) cmocka_unit_test_teardown(name, gateway_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_strangers_wait_for_sessions_and_the_loop_for_strangers),
        TEST(test_strangers_over_tcp_are_read_in_later_turns),
        TEST(test_what_strangers_bring_is_delivered),
    };
    return cmocka_run_group_tests(tests, gateway_start_crypto, NULL);
}
