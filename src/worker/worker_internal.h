/* The inside of a worker: for the files of this room only. */
#ifndef WORKER_WORKER_INTERNAL_H
#define WORKER_WORKER_INTERNAL_H

#include <stdbool.h>

#include "gateway/shard.h"
#include "worker/datagrams.h"
#include "worker/stream_connection.h"
#include "worker/stream_listener.h"
#include "worker/worker.h"

struct crypto_random_pool;

struct worker {
    uv_loop_t *loop;
    struct shard *shard;
    struct crypto_random_pool *random;
    struct seam_outbox outbox;
    struct seam_inbox inbox;
    void (*deliver)(void *context, struct seam_outbox *outbox);
    void *context;
    void (*drained)(void *context);
    void *drained_context;
    struct shard_time now; /* of this turn's latest input */
    uint64_t timer_due;    /* what the timer is set to; SHARD_NEVER: it is not */
    uv_prepare_t turn;     /* before the loop sleeps */
    uv_timer_t timer;
    uv_idle_t idle; /* running: the loop does not sleep, there is work to be done */
    struct stream_listener listeners[CONFIG_LISTEN_MAX];
    size_t listener_count;
    struct datagrams datagrams;
    struct stream_connections connections;
};

/* Binds every socket, or takes it over from the service manager, and reads none yet. False after setting `error`; what
 * is open by then closes with the worker. */
bool worker_listen(struct worker *worker, const struct worker_options *options, struct error_text *error)
    __attribute__((warn_unused_result));

/* Of a struct worker: `now` as it is. */
struct shard_time worker_read_clocks(void *context);

/* The end of a turn (turn.c): the loop sleeps afterwards, unless there is more to be done. */
void worker_end_turn(struct worker *worker);

#endif
