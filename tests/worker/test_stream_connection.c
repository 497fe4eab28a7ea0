#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/stream_bench.h"
#include "worker/tcp_client.h"

static void test_the_shard_hears_who_it_is(void **state)
{
    (void)state;
    size_t number = bench_connect();
    struct address client;
    assert_true(socket_address_local(bench.clients[number], &client));
    assert_true(address_equal(&client, &bench_stream(number)->peer));
}

static void test_the_shard_closes_from_within(void **state)
{
    (void)state;
    size_t number = bench_connect();
    bench_send_frame(number, "before");
    bench_send_frame(number, "close");
    bench_send_frame(number, "after");
    bench_turn();
    bench_expect_taken(number, "before");
    assert_int_equal(bench_stream(number)->lost, 0);
    assert_int_equal(bench.connections.count, 0);
    assert_true(tcp_client_is_closed(bench.clients[number]));
}

static void test_a_peer_that_leaves_is_lost_once(void **state)
{
    (void)state;
    for (int piece = 0; piece < 2; piece++) {
        (void)bench_close(state);
        assert_int_equal(bench_open(state), 0);
        size_t number = bench_connect();
        if (piece)
            bench_send(number, "\0", 1); /* half a frame */
        bench_leave(number);
        bench_run_until(bench_is_lost);
        bench_turn();
        bench_expect_lost(number);
    }
}

static void test_what_came_before_the_end_is_taken(void **state)
{
    (void)state;
    size_t number = bench_connect();
    bench_send_frame(number, "last words");
    bench_leave(number);
    bench_run_until(bench_is_lost);
    bench_expect_taken(number, "last words");
    bench_turn();
    bench_expect_lost(number);
}

static void test_a_reset_is_a_loss(void **state)
{
    (void)state;
    size_t number = bench_connect();
    bench_reset(number);
    bench_run_until(bench_is_lost);
    bench_turn();
    bench_expect_lost(number);
}

static void test_a_reset_of_one_that_is_not_read_is_heard_of_when_it_is(void **state)
{
    (void)state;
    bench_pause_all(1);
    bench_reset(0);
    bench_turn();
    bench_turn();
    assert_int_equal(bench_stream(0)->lost, 0);
    bench_resume_all(1);
    stream_connections_feed_resumed(&bench.connections);
    bench_run_until(bench_is_lost);
    bench_turn();
    bench_expect_taken(0, "x");
    bench_expect_lost(0);
}

static void test_one_that_the_shard_refuses_is_closed(void **state)
{
    (void)state;
    scripted_shard.refuses = true;
    size_t number = bench_connect();
    bench_turn();
    assert_int_equal(bench.connections.count, 0);
    assert_true(tcp_client_is_closed(bench.clients[number]));
}

static void expect_turned_away(void)
{
    size_t number = bench_connect();
    bench_turn();
    assert_int_equal(bench.connections.count, 0);
    assert_int_equal(scripted_shard.count, 0);
    assert_true(tcp_client_is_closed(bench.clients[number]));
}

static void test_one_that_finds_no_memory_is_closed(void **state)
{
    (void)state;
    bench.fails.allocations_left = 0;
    expect_turned_away();
}

static void test_one_that_libuv_does_not_take_is_closed(void **state)
{
    (void)state;
    bench.fails.init = UV_ENOMEM;
    expect_turned_away();
    bench.fails.init = 0;
    bench.fails.open = UV_ENOTSOCK;
    expect_turned_away();
    bench.fails.open = 0;
    bench.fails.name = UV_ENOTCONN; /* it has reset already */
    expect_turned_away();
}

static void test_one_that_cannot_be_read_is_lost(void **state)
{
    (void)state;
    bench.fails.read_start = UV_ENOTCONN;
    size_t number = bench_connect();
    bench_turn();
    bench_expect_lost(number);

    (void)bench_close(state);
    assert_int_equal(bench_open(state), 0);
    bench_pause_all(1);
    bench.fails.read_start = UV_EALREADY;
    bench_resume_all(1);
    bench_turn();
    bench_expect_taken(0, "x");
    bench_expect_lost(0);
}

static void test_all_are_closed_without_asking_the_shard(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        (void)bench_connect();
    bench_send(1, "\0", 1);
    bench_turn();
    (void)bench_write_until_queued(2);
    assert_int_equal(bench.connections.count, 3);
    stream_connections_close_all(&bench.connections);
    (void)uv_run(&bench.loop, UV_RUN_NOWAIT);
    assert_int_equal(bench.connections.count, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bench_stream(i)->lost, 0);
        assert_int_equal(bench_stream(i)->drained, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_the_shard_hears_who_it_is),
        BENCH_TEST(test_the_shard_closes_from_within),
        BENCH_TEST(test_a_peer_that_leaves_is_lost_once),
        BENCH_TEST(test_what_came_before_the_end_is_taken),
        BENCH_TEST(test_a_reset_is_a_loss),
        BENCH_TEST(test_a_reset_of_one_that_is_not_read_is_heard_of_when_it_is),
        BENCH_TEST(test_one_that_the_shard_refuses_is_closed),
        BENCH_TEST(test_one_that_finds_no_memory_is_closed),
        BENCH_TEST(test_one_that_libuv_does_not_take_is_closed),
        BENCH_TEST(test_one_that_cannot_be_read_is_lost),
        BENCH_TEST(test_all_are_closed_without_asking_the_shard),
    };
    return cmocka_run_group_tests(tests, bench_ignore_signals, NULL);
}
