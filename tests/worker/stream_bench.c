#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/stream_bench.h"
#include "worker/tcp_client.h"

struct bench bench;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    if (bench.fails.allocations_left == 0)
        return NULL;
    bench.fails.allocations_left--;
    return __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    if (bench.fails.allocations_left == 0)
        return NULL;
    bench.fails.allocations_left--;
    return __real_calloc(count, size);
}

int __real_uv_read_start(uv_stream_t *stream, uv_alloc_cb allocate, uv_read_cb read);
int __wrap_uv_read_start(uv_stream_t *stream, uv_alloc_cb allocate, uv_read_cb read);
int __wrap_uv_read_start(uv_stream_t *stream, uv_alloc_cb allocate, uv_read_cb read)
{
    return bench.fails.read_start != 0 ? bench.fails.read_start : __real_uv_read_start(stream, allocate, read);
}

int __real_uv_tcp_init(uv_loop_t *loop, uv_tcp_t *handle);
int __wrap_uv_tcp_init(uv_loop_t *loop, uv_tcp_t *handle);
int __wrap_uv_tcp_init(uv_loop_t *loop, uv_tcp_t *handle)
{
    return bench.fails.init != 0 ? bench.fails.init : __real_uv_tcp_init(loop, handle);
}

int __real_uv_tcp_open(uv_tcp_t *handle, uv_os_sock_t descriptor);
int __wrap_uv_tcp_open(uv_tcp_t *handle, uv_os_sock_t descriptor);
int __wrap_uv_tcp_open(uv_tcp_t *handle, uv_os_sock_t descriptor)
{
    return bench.fails.open != 0 ? bench.fails.open : __real_uv_tcp_open(handle, descriptor);
}

int __real_uv_tcp_getpeername(const uv_tcp_t *handle, struct sockaddr *name, int *length);
int __wrap_uv_tcp_getpeername(const uv_tcp_t *handle, struct sockaddr *name, int *length);
int __wrap_uv_tcp_getpeername(const uv_tcp_t *handle, struct sockaddr *name, int *length)
{
    return bench.fails.name != 0 ? bench.fails.name : __real_uv_tcp_getpeername(handle, name, length);
}

int __real_uv_write(uv_write_t *request, uv_stream_t *handle, const uv_buf_t *buffers, unsigned count,
                    uv_write_cb done);
int __wrap_uv_write(uv_write_t *request, uv_stream_t *handle, const uv_buf_t *buffers, unsigned count,
                    uv_write_cb done);
int __wrap_uv_write(uv_write_t *request, uv_stream_t *handle, const uv_buf_t *buffers, unsigned count, uv_write_cb done)
{
    return bench.fails.write != 0 ? bench.fails.write : __real_uv_write(request, handle, buffers, count, done);
}

static struct shard_time no_time(void *context)
{
    (void)context;
    return (struct shard_time){.monotonic = 1};
}

int bench_open(void **state)
{
    (void)state;
    scripted_shard_reset();
    memset(&bench, 0, sizeof bench);
    bench.fails.allocations_left = UINT32_MAX;
    bench.connections = (struct stream_connections){.loop = &bench.loop, .now = no_time};
    stream_connections_begin_turn(&bench.connections);
    bench.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    /* Small buffers, so that they are full soon, and no waiting; accepted sockets inherit that. */
    int size = 4096;
    int on = 1;
    if (setsockopt(bench.listening, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) != 0 ||
        setsockopt(bench.listening, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        bind(bench.listening, (struct sockaddr *)&any, sizeof any) != 0 || listen(bench.listening, 16) != 0)
        return -1;
    return uv_loop_init(&bench.loop);
}

int bench_close(void **state)
{
    (void)state;
    bench.fails.allocations_left = UINT32_MAX;
    stream_connections_close_all(&bench.connections);
    (void)uv_run(&bench.loop, UV_RUN_NOWAIT);
    for (size_t i = 0; i < bench.client_count; i++) {
        if (bench.clients[i] >= 0 && close(bench.clients[i]) != 0)
            return -1;
    }
    if (close(bench.listening) != 0 || bench.connections.count != 0)
        return -1;
    return uv_loop_close(&bench.loop);
}

void bench_turn(void)
{
    stream_connections_feed_resumed(&bench.connections);
    stream_connections_begin_turn(&bench.connections);
    (void)uv_run(&bench.loop, UV_RUN_NOWAIT);
}

size_t bench_connect(void)
{
    size_t number = bench.client_count;
    bench.clients[bench.client_count++] = tcp_client_open("127.0.0.1", tcp_local_port(bench.listening));
    int descriptor = accept4(bench.listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(descriptor >= 0);
    stream_connection_open(&bench.connections, descriptor);
    return number;
}

struct shard_stream *bench_stream(size_t number)
{
    return &scripted_shard.streams[number];
}

struct stream_connection *bench_connection(size_t number)
{
    return bench_stream(number)->handle;
}

void bench_send(size_t number, const void *bytes, size_t size)
{
    assert_int_equal(send(bench.clients[number], bytes, size, 0), size);
}

void bench_send_frame(size_t number, const char *text)
{
    uint8_t frame[SCRIPTED_FRAME_MAX];
    bench_send(number, frame, scripted_frame(frame, text));
}

void bench_leave(size_t number)
{
    assert_int_equal(close(bench.clients[number]), 0);
    bench.clients[number] = -1;
}

void bench_reset(size_t number)
{
    tcp_client_reset(bench.clients[number]);
    bench.clients[number] = -1;
}

void bench_expect_taken(size_t number, const char *text)
{
    assert_int_equal(bench_stream(number)->taken_size, strlen(text));
    assert_memory_equal(bench_stream(number)->taken, text, strlen(text));
}

void bench_expect_lost(size_t number)
{
    assert_int_equal(bench_stream(number)->lost, 1);
    assert_int_equal(bench.connections.count, 0);
}

void bench_run_until(bool (*happened)(void))
{
    while (!happened()) {
        stream_connections_begin_turn(&bench.connections);
        (void)uv_run(&bench.loop, UV_RUN_ONCE);
    }
}

void bench_pause_all(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bench_stream(bench_connect())->credit = 0;
        bench_send_frame(i, "x");
    }
    bench_turn();
    memset(scripted_shard.order, 0, sizeof scripted_shard.order);
}

void bench_resume_all(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bench_stream(i)->open) {
            bench_stream(i)->credit = 9;
            stream_connection_resume(bench_connection(i));
        }
    }
}

bool bench_is_lost(void)
{
    return bench_stream(0)->lost > 0;
}

size_t bench_write_until_queued(size_t number)
{
    uint8_t piece[500];
    size_t total = 0;
    for (uint8_t counter = 0;; counter++) {
        memset(piece, counter, sizeof piece);
        enum shard_written written = stream_connection_write(bench_connection(number), piece, sizeof piece);
        total += sizeof piece;
        if (written == SHARD_QUEUED)
            return total;
        assert_int_equal(written, SHARD_WRITTEN);
    }
}

int bench_ignore_signals(void **state)
{
    (void)state;
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0;
}
