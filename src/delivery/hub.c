#include "delivery/hub.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/random.h>

#include "delivery/backend.h"
#include "delivery/command_route.h"
#include "delivery/command_run.h"
#include "delivery/hub_state.h"
#include "delivery/json_text.h"
#include "platform/clock.h"
#include "platform/log.h"

#define TICK 1000u /* milliseconds */

static const struct log_limit LIMITS[HUB_MESSAGES] = {
    [HUB_MESSAGE_REFUSED] = LOG_LIMIT_INITIALIZER("backend_refused", LOG_LEVEL_WARN),
    [HUB_MESSAGE_ACCEPT] = LOG_LIMIT_INITIALIZER("backend_accept", LOG_LEVEL_ERROR),
    [HUB_MESSAGE_FULL] = LOG_LIMIT_INITIALIZER("backend_queue_full", LOG_LEVEL_WARN),
    [HUB_MESSAGE_ROOM] = LOG_LIMIT_INITIALIZER("backend_queue_room", LOG_LEVEL_INFO),
    [HUB_MESSAGE_SHARE] = LOG_LIMIT_INITIALIZER("backend_queue_share", LOG_LEVEL_WARN),
    [HUB_MESSAGE_MEMORY] = LOG_LIMIT_INITIALIZER("backend_memory", LOG_LEVEL_ERROR),
};

void hub_handle_opened(struct hub *hub)
{
    hub->handles++;
}

static void free_hub(struct hub *hub)
{
    for (size_t i = 0; i < hub->backend_count; i++)
        backend_free(hub->backends[i]);
    waiting_messages_close(&hub->waiting);
    pending_commands_close(&hub->commands);
    directory_close(&hub->directory);
    free(hub->inboxes);
    free(hub);
}

void hub_handle_closed(struct hub *hub)
{
    assert(hub->handles > 0);
    hub->handles--;
    if (hub->closing && hub->handles == 0)
        free_hub(hub);
}

static void on_tick(uv_timer_t *tick)
{
    struct hub *hub = tick->data;
    uint64_t now = clock_monotonic_us();
    for (size_t i = 0; i < HUB_MESSAGES; i++)
        log_settle(&hub->limits[i], now);
    for (size_t i = 0; i < hub->backend_count; i++)
        backend_listener_resume(&hub->backends[i]->listener);
    hub_tick_soon(hub);
}

static bool needs_tick(const struct hub *hub)
{
    for (size_t i = 0; i < HUB_MESSAGES; i++) {
        if (log_limit_deadline(&hub->limits[i]) != UINT64_MAX)
            return true;
    }
    for (size_t i = 0; i < hub->backend_count; i++) {
        if (hub->backends[i]->listener.paused)
            return true;
    }
    return false;
}

void hub_tick_soon(struct hub *hub)
{
    if (hub->closing || uv_is_active((uv_handle_t *)&hub->tick) || !needs_tick(hub))
        return;
    int result = uv_timer_start(&hub->tick, on_tick, TICK, 0);
    assert(result == 0);
}

/* What must not be guessed: where the keys of tables come from, and the epoch. */
static bool draw_random(void *bytes, size_t size)
{
    return getrandom(bytes, size, 0) == (ssize_t)size;
}

static struct hub *allocate_hub(const struct hub_settings *settings)
{
    struct hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL)
        return NULL;
    hub->inboxes = calloc(settings->workers, sizeof(struct seam_inbox *));
    uint8_t key[DEVICE_TABLE_KEY_SIZE];
    uint8_t epoch[HUB_EPOCH_SIZE];
    size_t seed;
    if (hub->inboxes == NULL || !draw_random(key, sizeof key) || !draw_random(epoch, sizeof epoch) ||
        !draw_random(&seed, sizeof seed) || !directory_open(&hub->directory, key) ||
        !waiting_messages_open(&hub->waiting, key)) {
        directory_close(&hub->directory);
        free(hub->inboxes);
        free(hub);
        return NULL;
    }
    *json_text_hex(hub->epoch, epoch, sizeof epoch) = '\0';
    json_object_seed(seed | 1); /* 0 would have Jansson open a file for it, at a time of its own choice */
    pending_commands_open(&hub->commands);
    hub->settings = *settings;
    for (size_t i = 0; i < HUB_MESSAGES; i++)
        hub->limits[i] = LIMITS[i];
    return hub;
}

static bool open_backends(struct hub *hub, struct error_text *error)
{
    for (size_t i = 0; i < hub->settings.backends->count; i++) {
        struct backend *backend = backend_new(hub, (unsigned)i, &hub->settings.backends->items[i]);
        if (backend == NULL) {
            error_text_set(error, "memory is short");
            return false;
        }
        hub->backends[hub->backend_count++] = backend;
        if (!backend_start(backend, error))
            return false;
    }
    return true;
}

struct hub *hub_open(uv_loop_t *loop, const struct hub_settings *settings, struct error_text *error)
{
    _Static_assert(CONFIG_BACKENDS_MAX <= SEAM_BACKENDS_MAX, "a set of backends holds all of them");
    assert(settings->workers > 0 && settings->backends->count <= CONFIG_BACKENDS_MAX);
    struct hub *hub = allocate_hub(settings);
    if (hub == NULL) {
        error_text_set(error, "memory is short, or the kernel gives no random bytes");
        return NULL;
    }
    hub->loop = loop;
    int result = uv_timer_init(loop, &hub->tick);
    assert(result == 0);
    hub->tick.data = hub;
    hub_handle_opened(hub);
    command_route_open(hub);
    if (!open_backends(hub, error)) {
        hub_close(hub);
        return NULL;
    }
    return hub;
}

void hub_attach(struct hub *hub, struct seam_inbox *inbox)
{
    assert(hub->attached < hub->settings.workers);
    hub->inboxes[hub->attached++] = inbox;
    for (size_t i = 0; i < hub->backend_count; i++)
        backend_flush(hub->backends[i]);
}

struct receiving {
    struct hub *hub;
    unsigned shard;
};

static void begin_session(struct hub *hub, const struct seam_event *connected, uint16_t shard)
{
    struct directory_session *session = directory_begin(&hub->directory, connected, shard);
    if (session != NULL)
        command_route_connected(hub, session);
    else
        HUB_LOG(hub, HUB_MESSAGE_MEMORY, LOG_FIELDS(log_device(connected->device)),
                "memory is short, backends cannot reach a device");
}

static void take_event(void *context, const struct seam_event *event, const uint8_t *payload)
{
    const struct receiving *receiving = context;
    struct hub *hub = receiving->hub;
    uint32_t left = event->backends;
    for (size_t i = 0; i < hub->backend_count && left != 0; i++, left >>= 1) {
        if ((left & 1) != 0)
            backend_take(hub->backends[i], receiving->shard, event, payload);
    }
    assert(left == 0);
    if (event->kind == SEAM_CONNECTED)
        begin_session(hub, event, (uint16_t)receiving->shard);
    else if (event->kind == SEAM_DISCONNECTED)
        directory_end(&hub->directory, event);
}

static unsigned shard_of(const struct hub *hub, const struct seam_inbox *inbox)
{
    unsigned shard = 0;
    while (shard < hub->attached && hub->inboxes[shard] != inbox)
        shard++;
    assert(shard < hub->attached);
    return shard;
}

void hub_receive(struct hub *hub, const struct seam_inbox *inbox, struct seam_outbox *outbox)
{
    struct receiving receiving = {.hub = hub, .shard = shard_of(hub, inbox)};
    seam_outbox_drain(outbox, take_event, &receiving);
    struct seam_command *command = seam_outbox_take_finished(outbox);
    while (command != NULL) {
        struct seam_command *next = command->next;
        command_finish(hub, command);
        command = next;
    }
    for (size_t i = 0; i < hub->backend_count; i++)
        backend_flush(hub->backends[i]);
    hub_look_for_end_of_draining(hub);
}

static bool is_flushed(const struct hub *hub)
{
    for (size_t i = 0; i < hub->backend_count; i++) {
        if (!backend_is_flushed(hub->backends[i]))
            return false;
    }
    return true;
}

void hub_look_for_end_of_draining(struct hub *hub)
{
    if (hub->drained == NULL || !is_flushed(hub))
        return;
    void (*drained)(void *context) = hub->drained;
    hub->drained = NULL;
    drained(hub->drained_context);
}

enum hub_drain_verdict hub_drain(struct hub *hub, void (*drained)(void *context), void *context)
{
    hub->draining = true;
    command_route_end_waiting(hub);
    for (size_t i = 0; i < hub->backend_count; i++) {
        backend_listener_close(&hub->backends[i]->listener);
        backend_flush(hub->backends[i]);
    }
    if (is_flushed(hub))
        return HUB_DRAINED;
    hub->drained = drained;
    hub->drained_context = context;
    return HUB_DRAINING;
}

static void on_tick_closed(uv_handle_t *handle)
{
    hub_handle_closed(handle->data);
}

void hub_close(struct hub *hub)
{
    assert(!hub->closing);
    hub->closing = true;
    for (size_t i = 0; i < hub->backend_count; i++) {
        struct backend *backend = hub->backends[i];
        backend_stop(backend);
        if (backend->counters.queue_messages > 0)
            log_write(LOG_LEVEL_WARN,
                      LOG_FIELDS(log_string("backend", backend->config->name),
                                 log_number("messages", (int64_t)backend->counters.queue_messages)),
                      "queued events are lost with the end of usmpd");
    }
    for (size_t i = 0; i < HUB_MESSAGES; i++)
        log_settle(&hub->limits[i], UINT64_MAX);
    command_route_close(hub);
    uv_close((uv_handle_t *)&hub->tick, on_tick_closed);
}

size_t hub_backend_count(const struct hub *hub)
{
    return hub->backend_count;
}

const char *hub_backend_name(const struct hub *hub, size_t backend)
{
    assert(backend < hub->backend_count);
    return hub->backends[backend]->config->name;
}

const struct hub_counters *hub_backend_counters(const struct hub *hub, size_t backend)
{
    assert(backend < hub->backend_count);
    return &hub->backends[backend]->counters;
}

void hub_check(const struct hub *hub)
{
    for (size_t i = 0; i < hub->backend_count; i++)
        backend_check(hub->backends[i]);
}
