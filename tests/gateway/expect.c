#include "gateway/expect.h"

#include <string.h>

#include "config/device_id.h"
#include "gateway/shard_internal.h"

static const struct seam_event *event_at(const struct world *world, size_t index, enum seam_event_kind kind,
                                         const char *id)
{
    uint8_t bytes[USMP_DEVICE_ID_SIZE];
    assert_true(config_device_id_parse(id, bytes));
    assert_in_range(index, 0, world->event_count - 1);
    const struct seam_event *event = &world->events[index].event;
    assert_int_equal(event->kind, kind);
    assert_memory_equal(event->device, bytes, sizeof bytes);
    return event;
}

void expect_connected(const struct world *world, size_t index, const char *id)
{
    assert_int_equal(event_at(world, index, SEAM_CONNECTED, id)->size, 0);
}

void expect_message(const struct world *world, size_t index, const char *id, const void *bytes, size_t size)
{
    assert_int_equal(event_at(world, index, SEAM_MESSAGE, id)->size, size);
    if (size > 0)
        assert_memory_equal(world->events[index].payload, bytes, size);
}

void expect_text(const struct world *world, size_t index, const char *id, const char *text)
{
    expect_message(world, index, id, text, strlen(text));
}

void expect_disconnected(const struct world *world, size_t index, const char *id, enum seam_reason reason)
{
    assert_int_equal(event_at(world, index, SEAM_DISCONNECTED, id)->reason, reason);
}

void expect_events(const struct world *world, size_t count)
{
    assert_int_equal(world->event_count, count);
}

void expect_received(const struct simulated_device *device, size_t index, const void *bytes, size_t size)
{
    const struct device_message *message = device->received.first;
    while (message != NULL && index-- > 0)
        message = message->next;
    assert_non_null(message);
    assert_int_equal(message->size, size);
    if (size > 0)
        assert_memory_equal(message->bytes, bytes, size);
}

void expect_received_count(const struct simulated_device *device, size_t count)
{
    assert_int_equal(device->received.count, count);
}

void expect_outcome(struct seam_command *command, enum seam_outcome outcome)
{
    assert_int_equal(command->outcome, outcome);
    world_command_free(command);
}

void expect_pending(const struct seam_command *command)
{
    assert_int_equal(command->outcome, SEAM_PENDING);
}

/* Of the events before `index`: the last one that tells of this device's coming or going. */
static const struct seam_event *last_change(const struct world *world, size_t index, const uint8_t *device)
{
    while (index-- > 0) {
        const struct seam_event *event = &world->events[index].event;
        if (event->kind != SEAM_MESSAGE && memcmp(event->device, device, sizeof event->device) == 0)
            return event;
    }
    return NULL;
}

static void expect_in_order(const struct world *world, size_t index)
{
    const struct seam_event *event = &world->events[index].event;
    const struct seam_event *before = last_change(world, index, event->device);
    if (event->kind == SEAM_CONNECTED) {
        assert_true(before == NULL || before->kind == SEAM_DISCONNECTED);
        return;
    }
    assert_non_null(before);
    assert_int_equal(before->kind, SEAM_CONNECTED);
    assert_memory_equal(before->session, event->session, sizeof event->session);
}

static uint64_t live_sessions(const struct world *world)
{
    uint64_t live = 0;
    for (size_t index = 0; index < world->event_count; index++) {
        live += world->events[index].event.kind == SEAM_CONNECTED;
        live -= world->events[index].event.kind == SEAM_DISCONNECTED;
    }
    return live;
}

void expect_events_paired(const struct world *world)
{
    for (size_t index = 0; index < world->event_count; index++)
        expect_in_order(world, index);
    /* What is not spent is with the shard, or kept for the `disconnected` of a session that is there. */
    uint64_t kept = live_sessions(world) * seam_event_cost(0);
    if (world->config->backends.count == 1)
        assert_int_equal(world->credit_given[0], world->credit_spent[0] + world->shard->credit.bytes[0] + kept);
}

/* A place is taken in each limit, which there is only if nothing holds it. */
static void expect_no_places_taken(struct world *world)
{
    struct admission_limits limits = {.sessions = 1, .default_psk_sessions = 1, .handshakes = 1};
    struct address peer = world_address("203.0.113.99:1");
    const uint8_t device[USMP_DEVICE_ID_SIZE] = {0};
    uint64_t now = world->now.monotonic;
    assert_true(admission_configure(world->admission, &limits));
    assert_int_equal(admission_handshake_begin(world->admission, &peer, device, now), ADMISSION_WELCOME);
    assert_int_equal(admission_session_begin(world->admission, &peer, true, false), ADMISSION_WELCOME);
    admission_session_end(world->admission, &peer, true);
    admission_handshake_end(world->admission, &peer);
}

void expect_nothing_left(struct world *world)
{
    const struct shard *shard = world->shard;
    world_run(world, 30 * WORLD_SECOND);
    expect_events_paired(world);
    assert_int_equal(live_sessions(world), 0);
    assert_int_equal(shard->session_count, 0);
    assert_int_equal(shard->lingering_count, 0);
    assert_null(shard->newest_session);
    assert_null(shard->paused_first);
    assert_null(shard->paused_last);
    assert_null(shard->streams.newest);
    assert_int_equal(shard->streams.silent.count, 0);
    assert_null(shard->streams.waiting.first);
    assert_null(shard->half_done.oldest);
    assert_int_equal(shard->half_done.count, 0);
    assert_int_equal(shard->strangers.answers.count, 0);
    assert_int_equal(shard->strangers.first_words.count, 0);
    assert_int_equal(shard->sessions_by_device.count, 0);
    assert_int_equal(shard->sessions_by_session.count, 0);
    assert_int_equal(shard->sessions_by_path.count, 0);
    assert_int_equal(shard->pending.by_path.count, 0);
    assert_int_equal(shard->pending.by_device.count, 0);
    assert_int_equal(shard->pending.unproved.count, 0);
    assert_int_equal(shard->pending.proved_count, 0);
    assert_int_equal(shard->deadlines.reserved, 2);
    for (unsigned transport = 0; transport < 2; transport++) {
        for (unsigned wire = 0; wire < 2; wire++)
            assert_int_equal(shard->counters.sessions[transport][wire], 0);
    }
    expect_no_places_taken(world);
}
