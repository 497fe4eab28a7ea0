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

static void test_a_frame_in_pieces_comes_whole(void **state)
{
    (void)state;
    size_t number = bench_connect();
    uint8_t frame[SCRIPTED_FRAME_MAX];
    size_t size = scripted_frame(frame, "in pieces");
    for (size_t i = 0; i < size; i++) {
        bench_expect_taken(number, "");
        bench_send(number, frame + i, 1);
        bench_turn();
    }
    bench_expect_taken(number, "in pieces");
    assert_int_equal(bench_connection(number)->kept_size, 0);
    assert_null(bench_connection(number)->kept);
}

static void test_frames_and_the_beginning_of_another(void **state)
{
    (void)state;
    size_t number = bench_connect();
    uint8_t bytes[3 * SCRIPTED_FRAME_MAX];
    size_t size = scripted_frame(bytes, "one,");
    size += scripted_frame(bytes + size, "two,");
    size_t whole = size;
    size += scripted_frame(bytes + size, "three");
    bench_send(number, bytes, size - 1);
    bench_turn();
    bench_expect_taken(number, "one,two,");
    assert_int_equal(bench_connection(number)->kept_size, size - 1 - whole);
    bench_send(number, bytes + size - 1, 1);
    bench_turn();
    bench_expect_taken(number, "one,two,three");
}

static void test_the_longest_piece_before_a_full_read(void **state)
{
    (void)state;
    size_t number = bench_connect();
    char text[SCRIPTED_FRAME_MAX];
    memset(text, 'a', sizeof text);
    text[SCRIPTED_FRAME_MAX - 2] = '\0';
    uint8_t frame[SCRIPTED_FRAME_MAX];
    uint8_t many[20 * SCRIPTED_FRAME_MAX];
    size_t size = scripted_frame(frame, text);
    assert_int_equal(size, SCRIPTED_FRAME_MAX);
    bench_send(number, frame, size - 1);
    bench_turn();
    assert_int_equal(bench_connection(number)->kept_size, size - 1);
    size_t total = 1;
    many[0] = frame[size - 1];
    while (total < STREAM_READ_SIZE) {
        memcpy(many + total, frame, size);
        total += size;
    }
    bench_send(number, many, total);
    while (bench_stream(number)->taken_size < (total / size + 1) * (size - 2))
        bench_turn();
    assert_int_equal(scripted_shard.longest, size - 1 + STREAM_READ_SIZE);
}

static void test_a_turn_reads_its_share(void **state)
{
    (void)state;
    size_t busy = bench_connect();
    size_t other = bench_connect();
    uint8_t many[3 * STREAM_READ_SIZE];
    uint8_t frame[SCRIPTED_FRAME_MAX];
    size_t size = scripted_frame(frame, "32 bytes with the length of it");
    size_t share = STREAM_READ_SIZE / size * (size - 2);
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = frame[i % size];
    bench_send(busy, many, sizeof many);
    bench_send_frame(other, "me too");
    (void)uv_run(&bench.loop, UV_RUN_NOWAIT);
    assert_int_equal(bench_stream(busy)->taken_size, share);
    bench_expect_taken(other, "me too");
    (void)uv_run(&bench.loop, UV_RUN_NOWAIT);
    assert_int_equal(bench_stream(busy)->taken_size, share); /* the turn has not ended */
    for (size_t turns = 2; turns <= 3; turns++) {
        bench_turn();
        assert_int_equal(bench_stream(busy)->taken_size, turns * share);
    }
}

static void test_without_credit_nothing_is_read(void **state)
{
    (void)state;
    size_t number = bench_connect();
    bench_stream(number)->credit = 1;
    bench_send_frame(number, "one,");
    bench_send_frame(number, "two,");
    bench_turn();
    bench_expect_taken(number, "one,");
    assert_true(bench_connection(number)->paused);
    bench_send_frame(number, "three,");
    size_t kept = bench_connection(number)->kept_size;
    scripted_shard.fed = 0;
    bench_turn();
    assert_int_equal(scripted_shard.fed, 0);
    assert_int_equal(bench_connection(number)->kept_size, kept);

    bench_stream(number)->credit = 2;
    stream_connection_resume(bench_connection(number));
    stream_connection_resume(bench_connection(number)); /* twice is once */
    bench_turn();
    bench_expect_taken(number, "one,two,three,");
    assert_false(bench_connection(number)->paused);
}

static void test_paused_again_where_credit_did_not_suffice(void **state)
{
    (void)state;
    size_t number = bench_connect();
    bench_stream(number)->credit = 0;
    bench_send_frame(number, "one,");
    bench_send_frame(number, "two,");
    bench_turn();
    stream_connection_resume(bench_connection(number)); /* for nothing at all */
    bench_turn();
    bench_expect_taken(number, "");
    bench_stream(number)->credit = 1;
    stream_connection_resume(bench_connection(number));
    bench_turn();
    bench_expect_taken(number, "one,");
    assert_true(bench_connection(number)->paused);
    bench_stream(number)->credit = 1;
    stream_connection_resume(bench_connection(number));
    bench_turn();
    bench_expect_taken(number, "one,two,");
}

static void test_a_resume_of_one_that_is_read_does_nothing(void **state)
{
    (void)state;
    size_t number = bench_connect();
    stream_connection_resume(bench_connection(number));
    bench_turn();
    assert_int_equal(scripted_shard.order[0], '\0');
}

static void test_they_go_on_in_the_order_of_the_shard(void **state)
{
    (void)state;
    bench_pause_all(4);
    bench_resume_all(4);
    stream_connections_feed_resumed(&bench.connections);
    assert_string_equal(scripted_shard.order, "0123");
}

/* Each paused connection waits with an order to close others that wait behind it or in front of it. */
static void test_one_that_goes_on_closes_others_that_wait(void **state)
{
    (void)state;
    static const char *const orders[] = {"close 2", "a", "b", "close 4", "c", "close 5", "close 0", "d"};
    for (size_t i = 0; i < 8; i++) {
        bench_stream(bench_connect())->credit = 0;
        bench_send_frame(i, orders[i]);
        bench_send_frame(i, "rest");
    }
    bench_turn();
    memset(scripted_shard.order, 0, sizeof scripted_shard.order);
    bench_resume_all(8);
    stream_connections_feed_resumed(&bench.connections);
    assert_string_equal(scripted_shard.order, "013567");
    bench_expect_taken(0, "rest");
    bench_expect_taken(1, "arest");
    bench_expect_taken(2, "");
    bench_expect_taken(5, ""); /* closed itself */
    bench_expect_taken(7, "drest");
    (void)uv_run(&bench.loop, UV_RUN_NOWAIT);
    assert_int_equal(bench.connections.count, 4);
}

static void test_the_ends_of_the_list_are_closed_before_they_go_on(void **state)
{
    (void)state;
    bench_pause_all(5);
    bench_resume_all(5);
    for (size_t i = 0; i < 5; i += 2) {
        bench_stream(i)->open = false;
        stream_connection_close(bench_connection(i));
    }
    stream_connections_feed_resumed(&bench.connections);
    assert_string_equal(scripted_shard.order, "13");
    assert_null(bench.connections.resumed_first);
    assert_null(bench.connections.resumed_last);
}

static void test_a_resume_of_one_that_closes_does_nothing(void **state)
{
    (void)state;
    bench_pause_all(1);
    bench_stream(0)->open = false;
    stream_connection_close(bench_connection(0));
    stream_connection_resume(bench_connection(0));
    assert_null(bench.connections.resumed_first);
    bench_turn();
    assert_string_equal(scripted_shard.order, "");
    assert_int_equal(bench.connections.count, 0);
}

static void test_without_memory_for_the_rest_it_is_lost(void **state)
{
    (void)state;
    size_t number = bench_connect();
    bench_send(number, "\0", 1);
    bench.fails.allocations_left = 0;
    bench_turn();
    bench_expect_lost(number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_a_frame_in_pieces_comes_whole),
        BENCH_TEST(test_frames_and_the_beginning_of_another),
        BENCH_TEST(test_the_longest_piece_before_a_full_read),
        BENCH_TEST(test_a_turn_reads_its_share),
        BENCH_TEST(test_without_credit_nothing_is_read),
        BENCH_TEST(test_paused_again_where_credit_did_not_suffice),
        BENCH_TEST(test_a_resume_of_one_that_is_read_does_nothing),
        BENCH_TEST(test_they_go_on_in_the_order_of_the_shard),
        BENCH_TEST(test_one_that_goes_on_closes_others_that_wait),
        BENCH_TEST(test_the_ends_of_the_list_are_closed_before_they_go_on),
        BENCH_TEST(test_a_resume_of_one_that_closes_does_nothing),
        BENCH_TEST(test_without_memory_for_the_rest_it_is_lost),
    };
    return cmocka_run_group_tests(tests, bench_ignore_signals, NULL);
}
