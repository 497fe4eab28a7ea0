#include "delivery/backend.h"

#include <assert.h>
#include <stdlib.h>

#include "delivery/connection.h"
#include "delivery/hub_state.h"
#include "platform/clock.h"
#include "platform/log.h"

/* Lines on their way cannot be dropped: of a queue whose oldest events may go, they are a quarter at most. */
#define FLIGHT_SHARE 4u

#define LARGEST_COST (SEAM_EVENT_OVERHEAD + SEAM_PAYLOAD_MAX)
#define FULL_BELOW (2u * LARGEST_COST) /* bytes of room: any moment a device has to wait */
#define ROOM_AGAIN_SHARE 4u

struct backend *backend_new(struct hub *hub, unsigned index, const struct config_backend *config)
{
    struct backend *backend = calloc(1, sizeof *backend);
    bool drops_oldest = config->when_full == CONFIG_WHEN_FULL_DROP_OLDEST;
    if (backend == NULL || !credit_ledger_open(&backend->ledger, config->queue, drops_oldest, hub->settings.workers)) {
        free(backend);
        return NULL;
    }
    backend->hub = hub;
    backend->index = index;
    backend->config = config;
    backend->budget = (struct command_budget){.commands_max = HUB_COMMANDS_MAX, .bytes_max = HUB_COMMAND_BYTES_MAX};
    backend->ttl_budget =
        (struct command_budget){.commands_max = HUB_TTL_COMMANDS_MAX, .bytes_max = HUB_TTL_COMMAND_BYTES_MAX};
    backend->encoder.always_base64 = config->payload == CONFIG_PAYLOAD_BASE64;
    event_queue_open(&backend->queue, config->queue);
    fair_share_open(&backend->share, config->queue, hub->directory.live.key);
    flight_clear(&backend->flight);
    backend->lists = (struct session_list_source){
        .directory = &hub->directory,
        .queue = &backend->queue,
        .encoder = &backend->encoder,
        .backend = UINT32_C(1) << index,
    };
    return backend;
}

bool backend_start(struct backend *backend, struct error_text *error)
{
    return backend_listener_open(&backend->listener, backend, error);
}

void backend_stop(struct backend *backend)
{
    backend_listener_close(&backend->listener);
    if (backend->connection != NULL)
        connection_end(backend->connection);
}

void backend_free(struct backend *backend)
{
    assert(backend->connection == NULL);
    event_queue_close(&backend->queue);
    fair_share_close(&backend->share);
    credit_ledger_close(&backend->ledger);
    free(backend);
}

static void log_fullness(struct backend *backend, bool full)
{
    backend->full = full;
    const struct log_field *fields = LOG_FIELDS(log_string("backend", backend->config->name),
                                                log_number("messages", (int64_t)backend->counters.queue_messages));
    if (!full)
        HUB_LOG(backend->hub, HUB_MESSAGE_ROOM, fields, "queue has room again");
    else if (backend->ledger.drops_oldest)
        HUB_LOG(backend->hub, HUB_MESSAGE_FULL, fields, "queue full, the oldest events are dropped");
    else
        HUB_LOG(backend->hub, HUB_MESSAGE_FULL, fields, "queue full, devices have to wait");
}

static void drop_oldest(struct backend *backend)
{
    uint64_t cost = event_queue_drop_oldest(&backend->queue);
    credit_ledger_leave(&backend->ledger, cost);
    backend->counters.queue_messages--;
    backend->counters.lost++;
    if (!backend->full)
        log_fullness(backend, true);
}

void backend_take(struct backend *backend, unsigned shard, const struct seam_event *event, const uint8_t *payload)
{
    credit_ledger_arrive(&backend->ledger, shard, event);
    if (event_queue_push(&backend->queue, event, payload)) {
        backend->counters.queue_messages++;
        if (!backend->ledger.drops_oldest)
            fair_share_pushed(&backend->share, &backend->queue, event);
    } else {
        credit_ledger_leave(&backend->ledger, seam_event_cost(event->size));
        backend->counters.lost++;
        HUB_LOG(backend->hub, HUB_MESSAGE_MEMORY, LOG_FIELDS(log_string("backend", backend->config->name)),
                "memory is short, an event is lost");
    }
    while (credit_ledger_excess(&backend->ledger) > 0)
        drop_oldest(backend);
}

void backend_fill(struct backend *backend)
{
    const struct session_list *list = &backend->connection->list;
    uint64_t most = backend->ledger.limit / FLIGHT_SHARE - LARGEST_COST;
    while (backend->flight.cost <= most && !session_list_goes_first(list, &backend->lists)) {
        char *line = flight_line_begin(&backend->flight);
        if (line == NULL)
            return;
        uint64_t next_id = backend->queue.next_id;
        struct queued_event taken;
        switch (event_queue_take(&backend->queue, &taken)) {
        case EVENT_QUEUE_EMPTY:
            return;
        case EVENT_QUEUE_EVENT:
            fair_share_left(&backend->share, &backend->queue, &taken.event);
            flight_line_end(&backend->flight,
                            event_ndjson_write(&backend->encoder, taken.id, &taken.event, taken.payload, line),
                            seam_event_cost(taken.event.size), next_id);
            break;
        case EVENT_QUEUE_LOST:
            flight_line_end(&backend->flight, event_ndjson_write_lost(&backend->encoder, &taken, line), 0, next_id);
            break;
        }
    }
}

void backend_sent(struct backend *backend, size_t size)
{
    struct flight_progress progress = flight_sent(&backend->flight, size);
    credit_ledger_leave(&backend->ledger, progress.cost);
    backend->counters.queue_messages -= progress.events;
    backend->counters.written += progress.events;
}

static void log_denied(struct backend *backend, const struct seam_denied_list *before)
{
    const struct seam_denied_list *denied = &backend->share.denied;
    for (unsigned i = 0; i < denied->count; i++) {
        if (!seam_denied_contains(before, denied->devices[i]))
            HUB_LOG(backend->hub, HUB_MESSAGE_SHARE,
                    LOG_FIELDS(log_string("backend", backend->config->name), log_device(denied->devices[i])),
                    "device holds more than its share of a queue and has to wait");
    }
}

/* Who holds too much is told with the credit of the same moment, and before it. */
static void deny(struct backend *backend)
{
    const struct hub *hub = backend->hub;
    const struct credit_ledger *ledger = &backend->ledger;
    const struct seam_denied_list before = backend->share.denied;
    bool is_half_full = credit_ledger_room(ledger) < ledger->limit / 2;
    if (!fair_share_decide(&backend->share, is_half_full))
        return;
    log_denied(backend, &before);
    for (unsigned shard = 0; shard < hub->attached; shard++)
        seam_inbox_deny(hub->inboxes[shard], backend->index, &backend->share.denied);
}

static void give_credit(struct backend *backend)
{
    const struct hub *hub = backend->hub;
    for (unsigned shard = 0; shard < hub->attached; shard++) {
        uint64_t given = credit_ledger_grant(&backend->ledger, shard);
        if (given > 0)
            seam_inbox_give_credit(hub->inboxes[shard], backend->index, given);
    }
}

static void watch_fullness(struct backend *backend)
{
    const struct credit_ledger *ledger = &backend->ledger;
    uint64_t room = credit_ledger_room(ledger);
    if (!backend->full && !ledger->drops_oldest && room < FULL_BELOW)
        log_fullness(backend, true);
    else if (backend->full && room >= ledger->limit / ROOM_AGAIN_SHARE + FULL_BELOW)
        log_fullness(backend, false);
}

void backend_flush(struct backend *backend)
{
    if (backend->connection != NULL)
        connection_serve(backend->connection);
    deny(backend);
    give_credit(backend);
    watch_fullness(backend);
    backend->counters.queue_bytes = backend->ledger.queued;
    backend->counters.commands = backend->budget.commands + backend->ttl_budget.commands;
}

uint64_t backend_next_id(const struct backend *backend)
{
    return flight_is_empty(&backend->flight) ? backend->queue.next_id : flight_next_id(&backend->flight);
}

bool backend_is_flushed(const struct backend *backend)
{
    if (backend->connection == NULL)
        return true;
    return flight_is_empty(&backend->flight) && event_queue_is_empty(&backend->queue) &&
           connection_is_answered(backend->connection);
}

void backend_check(const struct backend *backend)
{
    credit_ledger_check(&backend->ledger, backend->hub->attached == backend->hub->settings.workers);
    assert(backend->ledger.queued == backend->queue.cost + backend->flight.cost);
    assert(backend->counters.queue_bytes == backend->ledger.queued);
    uint64_t flying = 0;
    for (size_t i = backend->flight.done; i < backend->flight.count; i++)
        flying += backend->flight.lines[i].cost > 0;
    assert(backend->counters.queue_messages == backend->queue.events + flying);
    fair_share_check(&backend->share, &backend->queue);
    assert(backend->counters.connected == (backend->connection != NULL));
}
