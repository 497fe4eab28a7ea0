/* What a worker does before the loop sleeps, in the order of docs/design.md, "The way of a message": sessions first, then
 * strangers, then what can be made ahead. */
#include "worker/worker_internal.h"

#include <assert.h>

#define IDLE_SHARE 4u      /* pieces of idle work before the loop looks for input again */
#define DELIVERY_ROUNDS 8u /* how often in one turn what was delivered may lead to more input from the hub */

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

void worker_end_turn(struct worker *worker)
{
    worker_read_clocks(worker);
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
