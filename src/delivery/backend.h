/* One backend of the configuration: its queue, the lines on their way, the books, and who is connected.
 *
 * Events come in by backend_take() and leave by backend_fill(), which encodes them, and backend_sent(), which says
 * what the kernel took; only then is their room free again. A connection comes and goes, all of this stays.
 */
#ifndef DELIVERY_BACKEND_H
#define DELIVERY_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "delivery/backend_listener.h"
#include "delivery/credit_ledger.h"
#include "delivery/event_ndjson.h"
#include "delivery/event_queue.h"
#include "delivery/fair_share.h"
#include "delivery/flight.h"
#include "delivery/hub.h"
#include "delivery/pending_command.h"
#include "delivery/session_list.h"

struct connection;

struct backend {
    struct hub *hub;
    unsigned index; /* its bit in sets of backends */
    const struct config_backend *config;
    struct backend_listener listener;
    struct event_queue queue;
    struct credit_ledger ledger;
    struct fair_share share;
    struct event_ndjson encoder;
    struct session_list_source lists;
    struct connection *connection; /* NULL: nobody is connected */
    uint64_t connections;          /* how many there were; the number of the last one */
    struct command_budget budget;
    struct command_budget ttl_budget;
    struct hub_counters counters;
    bool full;
    struct flight flight;
};

/* NULL: memory is short. */
struct backend *backend_new(struct hub *hub, unsigned index, const struct config_backend *config)
    __attribute__((warn_unused_result));

/* Makes the socket and listens; false with `error` set. */
bool backend_start(struct backend *backend, struct error_text *error) __attribute__((warn_unused_result));

/* Closes the socket and ends the connection. */
void backend_stop(struct backend *backend);

/* When libuv has closed its handles. */
void backend_free(struct backend *backend);

/* An accepted event of a shard. */
void backend_take(struct backend *backend, unsigned shard, const struct seam_event *event, const uint8_t *payload);

/* Encodes what waits, as far as there is room and no list goes first. */
void backend_fill(struct backend *backend);

/* The kernel has taken these bytes of the flight. */
void backend_sent(struct backend *backend, size_t size);

/* Writes what the connection takes, runs what commands it has left, and tells the shards of new credit and who gets
 * none. The connection may be gone afterwards. */
void backend_flush(struct backend *backend);

/* The id of the event that the reader will see next, or the first of those that a `lost` will tell of. */
uint64_t backend_next_id(const struct backend *backend);

/* Nothing is left that a connected backend could still be given. */
bool backend_is_flushed(const struct backend *backend);

/* Asserts that the books agree with what is there. */
void backend_check(const struct backend *backend);

#endif
