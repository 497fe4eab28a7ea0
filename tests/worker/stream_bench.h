#ifndef TESTS_WORKER_STREAM_BENCH_H
#define TESTS_WORKER_STREAM_BENCH_H

/* Connections on a loop with a scripted shard behind them and plain sockets before them. Each is known by its number,
 * in the order in which they were made. Included after cmocka.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "worker/scripted_shard.h"
#include "worker/stream_connection.h"

/* What fails of what a connection needs; 0 and UINT32_MAX: nothing. */
struct bench_fails {
    unsigned allocations_left; /* before malloc and calloc fail */
    int read_start;            /* an error of libuv, as the others are */
    int init;
    int open;
    int name;
    int write;
};

struct bench {
    uv_loop_t loop;
    struct stream_connections connections;
    int listening;
    int clients[SCRIPTED_STREAMS_MAX]; /* -1: closed by the test */
    size_t client_count;
    struct bench_fails fails;
};

extern struct bench bench;

/* For cmocka. */
int bench_open(void **state);
int bench_close(void **state);
int bench_ignore_signals(void **state);
#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

/* One turn of the loop, without waiting. */
void bench_turn(void);
/* Turns until the kernel has carried what is waited for. */
void bench_run_until(bool (*happened)(void));

size_t bench_connect(void);
struct shard_stream *bench_stream(size_t number);
struct stream_connection *bench_connection(size_t number);

/* The device's side. */
void bench_send(size_t number, const void *bytes, size_t size);
void bench_send_frame(size_t number, const char *text);
void bench_leave(size_t number);
void bench_reset(size_t number);

void bench_expect_taken(size_t number, const char *text);
/* It was the only one, and it is gone. */
void bench_expect_lost(size_t number);
bool bench_is_lost(void); /* number 0 */

/* So many new connections, each with a frame "x" that waits for credit. */
void bench_pause_all(size_t count);
void bench_resume_all(size_t count);

/* Pieces of 500 bytes, each of its number, until the kernel has no more room; returns how many bytes. */
size_t bench_write_until_queued(size_t number);

#endif
