#include "worker/worker.h"

#include <assert.h>
#include <stdlib.h>

#include "crypto/random.h"
#include "platform/clock.h"
#include "worker/worker_internal.h"

#define IDLE_SHARE 4u      /* pieces of idle work before the loop looks for input again */
#define DELIVERY_ROUNDS 8u /* how often in one turn what was delivered may lead to more input from the hub */

static struct shard_time read_clocks(void *context)
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

/* The end of a turn. */

static void take_inbox(struct worker *worker)
{
    const struct seam_denied *denied = seam_inbox_take_denied(&worker->inbox);
    if (denied != NULL) {
        shard_deny(worker->shard, denied, worker->now);
    }
    struct seam_credit credit;
    bool credited;
    struct seam_command *command = seam_inbox_take(&worker->inbox, &credit, &credited);
    if (credited) {
        shard_credit(worker->shard, &credit, worker->now);
    }
    while (command != NULL) {
        struct seam_command *next = command->next;
        command->next = NULL;
        shard_command(worker->shard, command, worker->now);
        command = next;
    }
}

static bool inbox_has_more(const struct worker *worker)
{
    return worker->inbox.commands != NULL || worker->inbox.credited || worker->inbox.denied_changed;
}

/* Delivering may bring credit, credit may bring messages: a few rounds, then the loop looks for other input first. */
static bool exchange(struct worker *worker)
{
    for (unsigned round = 0; round < DELIVERY_ROUNDS; round++) {
        take_inbox(worker);
        stream_connections_feed_resumed(&worker->connections);
        if (seam_outbox_is_empty(&worker->outbox) && !inbox_has_more(worker)) {
            return false;
        }
        worker->deliver(worker->context, &worker->outbox);
        assert(seam_outbox_is_empty(&worker->outbox));
        if (!inbox_has_more(worker)) {
            return false;
        }
    }
    return true;
}

static void on_timer(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    worker->timer_due = SHARD_NEVER;
}

static void set_timer(struct worker *worker)
{
    uint64_t due = shard_deadline(worker->shard);
    if (due == worker->timer_due) {
        return;
    }
    worker->timer_due = due;
    if (due == SHARD_NEVER) {
        uv_timer_stop(&worker->timer);
        return;
    }
    uint64_t wait = due > worker->now.monotonic ? due - worker->now.monotonic : 0;
    uv_update_time(worker->loop);
    uv_timer_start(&worker->timer, on_timer, (wait + 999) / 1000, 0);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

/* After the answers of sessions have left. What it brings for backends goes with the next turn, which comes at once. */
static bool work_strangers(struct worker *worker)
{
    bool more = shard_strangers(worker->shard, worker->now);
    datagrams_flush(&worker->datagrams);
    return more || !seam_outbox_is_empty(&worker->outbox);
}

static bool make_ahead(struct worker *worker)
{
    bool more = true;
    for (unsigned piece = 0; more && piece < IDLE_SHARE; piece++) {
        more = shard_idle(worker->shard, worker->now);
    }
    return more;
}

static void set_idle(struct worker *worker, bool busy)
{
    if (busy) {
        uv_idle_start(&worker->idle, on_idle);
    } else {
        uv_idle_stop(&worker->idle);
    }
}

static void end_turn(struct worker *worker)
{
    read_clocks(worker);
    if (shard_deadline(worker->shard) <= worker->now.monotonic) {
        shard_advance(worker->shard, worker->now);
    }
    bool more = exchange(worker);
    datagrams_flush(&worker->datagrams);
    more |= work_strangers(worker);
    bool ahead = !more && make_ahead(worker);
    set_idle(worker, more || ahead);
    set_timer(worker);
    stream_connections_begin_turn(&worker->connections);
    if (worker->drained != NULL && shard_is_drained(worker->shard)) {
        void (*drained)(void *context) = worker->drained;
        worker->drained = NULL;
        drained(worker->drained_context);
    }
}

static void on_turn(uv_prepare_t *prepare)
{
    end_turn(prepare->data);
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
        worker->shard = shard_open(&shard, read_clocks(worker));
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
    worker->connections.now = read_clocks;
    worker->connections.context = worker;
    stream_connections_begin_turn(&worker->connections);
    worker->datagrams.now = read_clocks;
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
    shard_reload(worker->shard, config, registry, read_clocks(worker));
}

void worker_drain(struct worker *worker, void (*drained)(void *context), void *context)
{
    for (size_t index = 0; index < worker->listener_count; index++) {
        stream_listener_stop(&worker->listeners[index]);
    }
    worker->drained = drained;
    worker->drained_context = context;
    shard_drain(worker->shard, read_clocks(worker));
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
