/* A worker: a loop around a shard. It moves bytes between sockets and the shard and decides nothing (docs/design.md).
 *
 * One turn of the loop: sockets are read and their bytes given to the shard; then, before the loop sleeps, commands
 * and credit from the hub are taken over, what is due is done, the outbox is delivered, UTACKs and other datagrams
 * leave in one batch, handshakes have their share (docs/design/sessions-first.md), and the timer is set. Nobody is
 * woken for it.
 *
 * Ownership: the worker owns its sockets, connections, shard, outbox and inbox; it borrows loop, configuration and
 * admission. One thread, that of the loop.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdint.h>
#include <uv.h>

#include "gateway/counters.h"
#include "platform/error_text.h"
#include "seam/inbox.h"
#include "seam/outbox.h"

struct admission;
struct config;
struct inherited_sockets;
struct registry;
struct worker;

struct worker_options {
    uv_loop_t *loop;
    const struct config *config;
    struct registry *registry;
    struct admission *admission;
    struct inherited_sockets
        *inherited; /* those of a transport take the place of its `listen`; taken ones are marked */
    /* What a turn has brought: empties the outbox of events and finished commands. */
    void (*deliver)(void *context, struct seam_outbox *outbox);
    void *context;
};

/* Binds every socket and reads none yet. NULL after setting `error`; what was begun is undone, for which the loop runs
 * once without waiting. */
struct worker *worker_open(const struct worker_options *options, struct error_text *error)
    __attribute__((warn_unused_result));

/* From here on devices are served. 0 or a negative libuv error. */
int worker_start(struct worker *worker) __attribute__((warn_unused_result));

/* What the hub fills. */
struct seam_inbox *worker_inbox(struct worker *worker);

void worker_reload(struct worker *worker, const struct config *config, struct registry *registry);

/* Takes no more connections, says BYE to every session, and calls `drained` once when all is said or given up. */
void worker_drain(struct worker *worker, void (*drained)(void *context), void *context);

/* Ends everything at once and delivers what is left. Then the loop must run until the handles are closed, and then
 * worker_free takes the rest. */
void worker_close(struct worker *worker);
void worker_free(struct worker *worker); /* NULL is allowed */

/* For the status line. */
struct worker_status {
    size_t sessions;
    uint64_t datagrams_lost; /* by the kernel, for want of room in the receive buffer */
};
struct worker_status worker_status(const struct worker *worker);

#endif
