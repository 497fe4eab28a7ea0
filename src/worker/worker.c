#include "worker/worker.h"

#include <assert.h>
#include <stdlib.h>

#include "crypto/random.h"
#include "platform/clock.h"
#include "worker/worker_internal.h"

struct shard_time worker_read_clocks(void *context)
{
    struct worker *worker = context;
    worker->now = (struct shard_time){.monotonic = clock_monotonic_us(), .wall = (int64_t)clock_wall_us()};
    return worker->now;
}

/* The ports of the shard. */

static void send_datagram(void *context, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    struct worker *worker = context;
    datagrams_send(&worker->datagrams, path, bytes, size);
}

static enum shard_written write_stream(void *context, void *handle, const uint8_t *bytes, size_t size)
{
    (void)context;
    return stream_connection_write(handle, bytes, size);
}

static void resume_stream(void *context, void *handle)
{
    (void)context;
    stream_connection_resume(handle);
}

static void close_stream(void *context, void *handle)
{
    (void)context;
    stream_connection_close(handle);
}

static void draw_random(void *context, void *out, size_t size)
{
    struct worker *worker = context;
    crypto_random_take(worker->random, worker->now.monotonic, out, size);
}

static void on_turn(uv_prepare_t *prepare)
{
    worker_end_turn(prepare->data);
}

/* The hub has something for us. The turn's end comes before the loop sleeps, so there is nobody to wake. */
static void on_wake(void *context)
{
    (void)context;
}

static void init_handles(struct worker *worker)
{
    uv_prepare_init(worker->loop, &worker->turn);
    uv_timer_init(worker->loop, &worker->timer);
    uv_idle_init(worker->loop, &worker->idle);
    worker->turn.data = worker;
    worker->timer.data = worker;
    worker->idle.data = worker;
}

static bool open_shard(struct worker *worker, const struct worker_options *options, struct error_text *error)
{
    struct shard_ports ports = {.context = worker,
                                .send_datagram = send_datagram,
                                .write = write_stream,
                                .resume = resume_stream,
                                .close = close_stream,
                                .random = draw_random};
    struct shard_options shard = {.config = options->config,
                                  .registry = options->registry,
                                  .admission = options->admission,
                                  .outbox = &worker->outbox,
                                  .ports = &ports};
    worker->random = crypto_random_pool_open();
    if (worker->random != NULL) {
        worker->shard = shard_open(&shard, worker_read_clocks(worker));
    }
    if (worker->shard == NULL) {
        error_text_set(error, "out of memory");
        return false;
    }
    worker->connections.shard = worker->shard;
    worker->datagrams.shard = worker->shard;
    return true;
}

struct worker *worker_open(const struct worker_options *options, struct error_text *error)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        error_text_set(error, "out of memory");
        return NULL;
    }
    worker->loop = options->loop;
    worker->deliver = options->deliver;
    worker->context = options->context;
    worker->timer_due = SHARD_NEVER;
    worker->connections.loop = options->loop;
    worker->connections.now = worker_read_clocks;
    worker->connections.context = worker;
    stream_connections_begin_turn(&worker->connections);
    worker->datagrams.now = worker_read_clocks;
    worker->datagrams.context = worker;
    seam_outbox_open(&worker->outbox);
    seam_inbox_open(&worker->inbox, on_wake, worker);
    init_handles(worker);
    if (!worker_listen(worker, options, error) || !open_shard(worker, options, error)) {
        worker_close(worker);
        uv_run(worker->loop, UV_RUN_NOWAIT);
        worker_free(worker);
        return NULL;
    }
    return worker;
}

int worker_start(struct worker *worker)
{
    for (size_t index = 0; index < worker->listener_count; index++) {
        int result = stream_listener_start(&worker->listeners[index]);
        if (result != 0) {
            return result;
        }
    }
    int result = datagrams_start(&worker->datagrams);
    return result != 0 ? result : uv_prepare_start(&worker->turn, on_turn);
}

struct seam_inbox *worker_inbox(struct worker *worker)
{
    return &worker->inbox;
}

void worker_reload(struct worker *worker, const struct config *config, struct registry *registry)
{
    shard_reload(worker->shard, config, registry, worker_read_clocks(worker));
}

void worker_drain(struct worker *worker, void (*drained)(void *context), void *context)
{
    for (size_t index = 0; index < worker->listener_count; index++) {
        stream_listener_stop(&worker->listeners[index]);
    }
    worker->drained = drained;
    worker->drained_context = context;
    shard_drain(worker->shard, worker_read_clocks(worker));
}

void worker_close(struct worker *worker)
{
    for (size_t index = 0; index < worker->listener_count; index++) {
        stream_listener_close(&worker->listeners[index]);
    }
    if (worker->shard != NULL) {
        datagrams_flush(&worker->datagrams);
        stream_connections_close_all(&worker->connections);
        shard_close(worker->shard);
        worker->shard = NULL;
        worker->deliver(worker->context, &worker->outbox);
    }
    datagrams_close(&worker->datagrams);
    uv_close((uv_handle_t *)&worker->turn, NULL);
    uv_close((uv_handle_t *)&worker->timer, NULL);
    uv_close((uv_handle_t *)&worker->idle, NULL);
}

void worker_free(struct worker *worker)
{
    if (worker == NULL) {
        return;
    }
    assert(worker->connections.count == 0);
    /* Commands that came after the close go back undone. */
    struct seam_credit credit;
    bool credited;
    struct seam_command *command = seam_inbox_take(&worker->inbox, &credit, &credited);
    while (command != NULL) {
        struct seam_command *next = command->next;
        seam_outbox_finish(&worker->outbox, command, SEAM_NOT_CONNECTED);
        command = next;
    }
    if (!seam_outbox_is_empty(&worker->outbox)) {
        worker->deliver(worker->context, &worker->outbox);
    }
    seam_outbox_close(&worker->outbox);
    crypto_random_pool_close(worker->random);
    free(worker);
}

struct worker_status worker_status(const struct worker *worker)
{
    return (struct worker_status){.sessions = shard_session_count(worker->shard),
                                  .datagrams_lost = datagrams_lost(&worker->datagrams)};
}
