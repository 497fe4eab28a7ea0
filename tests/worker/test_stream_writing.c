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

static bool is_drained(void)
{
    return bench_stream(0)->drained > 0;
}

/* What has arrived, of which `read` bytes have been read before. */
static void read_pieces(size_t number, size_t *read)
{
    uint8_t bytes[4096];
    ssize_t size;
    while ((size = recv(bench.clients[number], bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        for (ssize_t i = 0; i < size; i++, (*read)++)
            assert_int_equal(bytes[i], (uint8_t)(*read / 500));
    }
}

static void test_what_the_kernel_does_not_take_is_queued_and_drained(void **state)
{
    (void)state;
    size_t number = bench_connect();
    size_t total = bench_write_until_queued(number);
    size_t queued = bench_connection(number)->queued;
    assert_true(queued > 0 && queued <= 500);
    bench_turn();
    assert_int_equal(bench_stream(number)->drained, 0);

    size_t read = 0;
    while (read < total) {
        read_pieces(number, &read);
        bench_turn();
    }
    bench_run_until(is_drained);
    assert_int_equal(bench_stream(number)->drained, 1);
    assert_int_equal(bench_connection(number)->queued, 0);
    assert_int_equal(stream_connection_write(bench_connection(number), (const uint8_t *)"more", 4), SHARD_WRITTEN);
}

static void test_the_queue_has_a_bound(void **state)
{
    (void)state;
    size_t number = bench_connect();
    uint8_t piece[500] = {0};
    (void)bench_write_until_queued(number);
    while (bench_connection(number)->queued + sizeof piece <= SHARD_STREAM_QUEUE_MAX)
        assert_int_equal(stream_connection_write(bench_connection(number), piece, sizeof piece), SHARD_QUEUED);
    size_t left = SHARD_STREAM_QUEUE_MAX - bench_connection(number)->queued;
    assert_int_equal(stream_connection_write(bench_connection(number), piece, left + 1), SHARD_FAILED);
    assert_int_equal(bench_connection(number)->queued, SHARD_STREAM_QUEUE_MAX - left);
    if (left > 0)
        assert_int_equal(stream_connection_write(bench_connection(number), piece, left), SHARD_QUEUED);
    assert_int_equal(bench_connection(number)->queued, SHARD_STREAM_QUEUE_MAX);
}

static void test_queued_bytes_go_with_the_connection(void **state)
{
    (void)state;
    size_t number = bench_connect();
    size_t total = bench_write_until_queued(number);
    bench_stream(number)->open = false;
    stream_connection_close(bench_connection(number));
    bench_turn();
    assert_int_equal(bench.connections.count, 0);
    assert_int_equal(bench_stream(number)->drained, 0);
    assert_int_equal(bench_stream(number)->lost, 0);
    size_t read = 0;
    read_pieces(number, &read);
    assert_true(read < total);
}

static void test_writing_to_one_that_has_reset_fails(void **state)
{
    (void)state;
    size_t number = bench_connect();
    bench_reset(number);
    enum shard_written written;
    while ((written = stream_connection_write(bench_connection(number), (const uint8_t *)"x", 1)) == SHARD_WRITTEN) {
    }
    assert_int_equal(written, SHARD_FAILED);
}

static void test_a_reset_with_bytes_in_the_queue_is_one_loss(void **state)
{
    (void)state;
    size_t number = bench_connect();
    (void)bench_write_until_queued(number);
    bench_reset(number);
    bench_run_until(bench_is_lost);
    bench_turn();
    bench_expect_lost(number);
    assert_int_equal(bench_stream(number)->drained, 0);
}

/* Not read, so only the writing hears of it. */
static void test_a_failed_write_is_a_loss(void **state)
{
    (void)state;
    bench_pause_all(1);
    (void)bench_write_until_queued(0);
    (void)stream_connection_write(bench_connection(0), (const uint8_t *)"two", 3);
    bench_reset(0);
    bench_run_until(bench_is_lost);
    bench_turn();
    bench_expect_lost(0);
    assert_int_equal(bench_stream(0)->drained, 0);
}

static void test_without_memory_for_the_queue_the_write_fails(void **state)
{
    (void)state;
    size_t number = bench_connect();
    (void)bench_write_until_queued(number);
    size_t queued = bench_connection(number)->queued;
    bench.fails.allocations_left = 0;
    assert_int_equal(stream_connection_write(bench_connection(number), (const uint8_t *)"x", 1), SHARD_FAILED);
    assert_int_equal(bench_connection(number)->queued, queued);
    bench.fails.allocations_left = UINT32_MAX;
    bench.fails.write = UV_EBADF;
    assert_int_equal(stream_connection_write(bench_connection(number), (const uint8_t *)"x", 1), SHARD_FAILED);
    assert_int_equal(bench_connection(number)->queued, queued);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_what_the_kernel_does_not_take_is_queued_and_drained),
        BENCH_TEST(test_the_queue_has_a_bound),
        BENCH_TEST(test_queued_bytes_go_with_the_connection),
        BENCH_TEST(test_writing_to_one_that_has_reset_fails),
        BENCH_TEST(test_a_reset_with_bytes_in_the_queue_is_one_loss),
        BENCH_TEST(test_a_failed_write_is_a_loss),
        BENCH_TEST(test_without_memory_for_the_queue_the_write_fails),
    };
    return cmocka_run_group_tests(tests, bench_ignore_signals, NULL);
}
