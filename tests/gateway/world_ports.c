#include "gateway/world_ports.h"

#include <string.h>

#include "gateway/require.h"
#include "gateway/trace.h"

/* The shard is left while a port works: what fails in there is not the shard's. */
static bool enter_port(struct world *world)
{
    bool inside = world->inside;
    world_leave(world);
    return inside;
}

static void leave_port(struct world *world, bool inside)
{
    if (inside)
        world_enter(world);
}

static void send_datagram(void *context, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    struct world *world = context;
    bool inside = enter_port(world);
    world->datagrams_sent++;
    world->bytes_sent += size;
    if (world->watch != NULL)
        world->watch->leaves(world->watch->context, path, bytes, size);
    world_carry(world, false, path, bytes, size);
    leave_port(world, inside);
}

static enum shard_written write_stream(void *context, void *handle, const uint8_t *bytes, size_t size)
{
    struct world *world = context;
    struct simulated_device *device = handle;
    require(!device->stream_closed);
    if (device->broken)
        return SHARD_FAILED;
    bool inside = enter_port(world);
    trace_stream(world->trace, false, &device->path, bytes, size, world->now.monotonic);
    if (world->watch != NULL)
        world->watch->writes(world->watch->context, device, bytes, size);
    byte_buffer_append(&device->incoming, bytes, size);
    leave_port(world, inside);
    return device->full ? SHARD_QUEUED : SHARD_WRITTEN;
}

static void resume_stream(void *context, void *handle)
{
    struct simulated_device *device = handle;
    (void)context;
    require(!device->stream_closed);
    device->resumed = device->paused;
    device->paused = false;
}

static void close_stream(void *context, void *handle)
{
    struct world *world = context;
    struct simulated_device *device = handle;
    require(!device->stream_closed);
    bool inside = enter_port(world);
    trace_close(world->trace, &device->path, world->now.monotonic);
    device->stream_closed = true;
    device->stream = NULL;
    leave_port(world, inside);
}

static void draw_random(void *context, void *out, size_t size)
{
    struct world *world = context;
    random_fill(&world->numbers, out, size);
}

struct shard_ports world_ports(struct world *world)
{
    return (struct shard_ports){.context = world,
                                .send_datagram = send_datagram,
                                .write = write_stream,
                                .resume = resume_stream,
                                .close = close_stream,
                                .random = draw_random};
}

static void *grown(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 64 : *capacity * 2;
    array = realloc(array, *capacity * size);
    require(array != NULL);
    return array;
}

static void spend(struct world *world, const struct seam_event *event)
{
    for (unsigned index = 0; index < SEAM_BACKENDS_MAX; index++) {
        if (event->backends >> index & 1)
            world->credit_spent[index] += seam_event_cost(event->size);
    }
}

static void keep_event(struct world *world, const struct seam_event *event, const uint8_t *payload)
{
    world->events = grown(world->events, world->event_count, &world->event_capacity, sizeof *world->events);
    struct world_event *added = &world->events[world->event_count++];
    added->event = *event;
    added->payload = malloc(event->size + (size_t)1);
    require(added->payload != NULL);
    if (event->size > 0)
        memcpy(added->payload, payload, event->size);
}

static void add_event(void *context, const struct seam_event *event, const uint8_t *payload)
{
    struct world *world = context;
    spend(world, event);
    trace_event(world->trace, event, payload, world->now.monotonic);
    if (world->watch != NULL)
        world->watch->tells(world->watch->context, event, payload);
    else
        keep_event(world, event, payload);
}

static void add_finished(struct world *world, struct seam_command *command)
{
    union {
        const uint8_t *in;
        void *out;
    } payload = {.in = command->payload};
    free(payload.out);
    command->payload = NULL;
    command->next = NULL;
    world->finished =
        grown(world->finished, world->finished_count, &world->finished_capacity, sizeof(struct seam_command *));
    world->finished[world->finished_count++] = command;
    trace_command(world->trace, command, world->now.monotonic);
    if (world->watch != NULL)
        world->watch->finishes(world->watch->context, command);
}

void world_ports_collect(struct world *world)
{
    seam_outbox_drain(&world->outbox, add_event, world);
    struct seam_command *command = seam_outbox_take_finished(&world->outbox);
    while (command != NULL) {
        struct seam_command *next = command->next;
        add_finished(world, command);
        command = next;
    }
    if (world->watch != NULL && world->moved) {
        world->moved = false;
        world->watch->settles(world->watch->context);
    }
}
