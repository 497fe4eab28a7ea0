#include "gateway/world.h"

#include <string.h>

#include "config/device_id.h"
#include "gateway/require.h"
#include "gateway/trace.h"
#include "gateway/world_ports.h"
#include "platform/address_text.h"

#define STANDS_STILL 100000u /* things that happen at one time, more of which would never end */

struct address world_address(const char *text)
{
    struct address address;
    require(address_parse(text, &address));
    return address;
}

void world_enter(struct world *world)
{
    world->inside = true;
    world->moved = true;
    if (world->around != NULL)
        world->around(true);
}

void world_leave(struct world *world)
{
    world->inside = false;
    if (world->around != NULL)
        world->around(false);
}

void world_give_credit(struct world *world, uint64_t bytes)
{
    struct seam_credit credit;
    for (unsigned index = 0; index < SEAM_BACKENDS_MAX; index++) {
        credit.bytes[index] = bytes;
        world->credit_given[index] += bytes;
    }
    world_enter(world);
    shard_credit(world->shard, &credit, world->now);
    world_leave(world);
}

/* Devices. */

static struct simulated_device *add_device(struct world *world, enum usmp_transport transport,
                                           const struct address *address)
{
    struct simulated_device *device = calloc(1, sizeof *device);
    require(device != NULL);
    device->world = world;
    device->next = world->devices;
    world->devices = device;
    device->transport = transport;
    device->path = (struct shard_path){.peer = *address, .local = world->gateway};
    if (transport == USMP_TCP) {
        world_enter(world);
        device->stream = shard_stream_open(world->shard, address, device, world->now);
        world_leave(world);
        device->stream_closed = device->stream == NULL;
    }
    return device;
}

struct simulated_device *world_connect_bare_at(struct world *world, enum usmp_transport transport,
                                               const struct address *address)
{
    struct simulated_device *device = add_device(world, transport, address);
    device->bare = true;
    return device;
}

struct simulated_device *world_connect_bare(struct world *world, enum usmp_transport transport, const char *address)
{
    struct address parsed = world_address(address);
    return world_connect_bare_at(world, transport, &parsed);
}

struct simulated_device *world_connect_as(struct world *world, enum usmp_transport transport, unsigned wire,
                                          const uint8_t id[USMP_DEVICE_ID_SIZE], const char *psk,
                                          const struct address *address, enum usmp_cipher cipher)
{
    struct simulated_device *device = add_device(world, transport, address);
    device->wire = wire;
    memcpy(device->id, id, sizeof device->id);
    simulated_device_begin(device, cipher, psk, WORLD_GIVE_UP);
    return device;
}

struct simulated_device *world_connect(struct world *world, enum usmp_transport transport, unsigned wire,
                                       const char *id, const char *psk, const char *address)
{
    uint8_t bytes[USMP_DEVICE_ID_SIZE];
    require(config_device_id_parse(id, bytes));
    struct address parsed = world_address(address);
    return world_connect_as(world, transport, wire, bytes, psk, &parsed, USMP_CIPHER_AUTO);
}

void world_lose_stream(struct simulated_device *device)
{
    struct world *world = device->world;
    struct shard_stream *stream = device->stream;
    device->over = true;
    if (stream == NULL)
        return;
    device->stream = NULL;
    world_enter(world);
    shard_stream_lost(world->shard, stream, world->now);
    world_leave(world);
}

void world_vanish(struct simulated_device *device)
{
    struct world *world = device->world;
    world_lose_stream(device);
    struct simulated_device **place = &world->devices;
    while (*place != device)
        place = &(*place)->next;
    *place = device->next;
    simulated_device_end(device);
    free(device);
}

void world_unblock_stream(struct simulated_device *device)
{
    device->full = false;
    if (device->stream == NULL)
        return;
    world_enter(device->world);
    shard_stream_drained(device->world->shard, device->stream, device->world->now);
    world_leave(device->world);
}

/* What has arrived. */

static struct simulated_device *device_at(const struct world *world, const struct address *peer)
{
    struct simulated_device *device = world->devices;
    while (device != NULL && (device->transport != USMP_UDP || !address_equal(&device->path.peer, peer)))
        device = device->next;
    return device;
}

static void deliver(struct world *world, const struct packet *packet)
{
    trace_packet(world->trace, packet, world->now.monotonic);
    if (packet->to_gateway) {
        if (world->watch != NULL)
            world->watch->arrives(world->watch->context, packet);
        world_enter(world);
        shard_datagram(world->shard, &packet->path, packet->bytes, packet->size, world->now);
        world_leave(world);
        return;
    }
    struct simulated_device *device = device_at(world, &packet->path.peer);
    if (device == NULL)
        world->strangers++;
    else
        simulated_device_datagram(device, packet->bytes, packet->size);
}

static bool deliver_packets(struct world *world)
{
    bool any = false;
    struct packet *packet;
    while ((packet = link_take(&world->link, world->now.monotonic)) != NULL) {
        deliver(world, packet);
        free(packet);
        world_ports_collect(world);
        any = true;
    }
    return any;
}

static size_t cut(struct world *world, size_t available)
{
    size_t size = world->cut == NULL ? available : world->cut(world, available);
    return size < available ? size : available;
}

/* As a worker does: what was not consumed comes again in front of what is new. */
static bool read_stream(struct world *world, struct simulated_device *device)
{
    if (device->stream == NULL || device->paused || (device->outgoing.size == 0 && !device->resumed))
        return false;
    device->resumed = false;
    size_t size = cut(world, device->outgoing.size);
    trace_stream(world->trace, true, &device->path, device->outgoing.bytes, size, world->now.monotonic);
    byte_buffer_append(&device->kept, device->outgoing.bytes, size);
    byte_buffer_consume(&device->outgoing, size);
    size_t consumed = 0;
    world_enter(world);
    enum shard_reading reading =
        shard_stream_bytes(world->shard, device->stream, device->kept.bytes, device->kept.size, &consumed, world->now);
    world_leave(world);
    if (reading == SHARD_READ_CLOSED) {
        require(device->stream_closed && device->stream == NULL);
        return true;
    }
    require(device->stream != NULL);
    byte_buffer_consume(&device->kept, consumed);
    device->paused = reading == SHARD_READ_PAUSED;
    require(device->paused || device->kept.size < USMP_FRAME_MAX);
    return true;
}

static bool read_device(struct simulated_device *device)
{
    size_t before = device->incoming.size;
    if (before > 0)
        simulated_device_read(device);
    if (device->stream_closed && !device->over && device->incoming.size == before) {
        device->over = true;
        if (device->behind != NULL)
            device->behind->stream_closed(device->behind_context);
    }
    return device->incoming.size != before;
}

static bool read_streams(struct world *world)
{
    bool any = false;
    for (struct simulated_device *device = world->devices; device != NULL; device = device->next) {
        if (device->transport == USMP_TCP) {
            any |= read_stream(world, device);
            world_ports_collect(world);
            any |= read_device(device);
        }
    }
    return any;
}

/* The end of a turn. What was delivered or read in it has its answers in the next. */
static bool work_strangers(struct world *world)
{
    bool moved = world->moved;
    uint64_t datagrams = world->datagrams_sent;
    world_enter(world);
    bool more = shard_strangers(world->shard, world->now);
    world_leave(world);
    /* Mostly there was nobody, and nothing for who looks on. */
    if (!more && world->datagrams_sent == datagrams && seam_outbox_is_empty(&world->outbox))
        world->moved = moved;
    world_ports_collect(world);
    return more;
}

void world_settle(struct world *world)
{
    bool any = true;
    world_ports_collect(world);
    while (any) {
        any = deliver_packets(world);
        any |= read_streams(world);
        any |= work_strangers(world);
    }
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static uint64_t next_due(const struct world *world)
{
    uint64_t due = earlier(shard_deadline(world->shard), link_deadline(&world->link));
    for (const struct simulated_device *device = world->devices; device != NULL; device = device->next)
        due = earlier(due, simulated_device_deadline(device));
    return due;
}

/* What is due is done: a deadline that stays where it is would hold up time. */
static void advance(struct world *world)
{
    world_enter(world);
    shard_advance(world->shard, world->now);
    world_leave(world);
    require(shard_deadline(world->shard) > world->now.monotonic);
    for (struct simulated_device *device = world->devices; device != NULL; device = device->next) {
        if (simulated_device_deadline(device) <= world->now.monotonic)
            simulated_device_advance(device);
    }
    world_settle(world);
}

void world_run(struct world *world, uint64_t microseconds)
{
    uint64_t end = world->now.monotonic + microseconds;
    unsigned standing_still = 0;
    world_settle(world);
    for (;;) {
        uint64_t due = next_due(world);
        standing_still = due <= world->now.monotonic ? standing_still + 1 : 0;
        require(standing_still < STANDS_STILL);
        uint64_t next = due < world->now.monotonic ? world->now.monotonic : earlier(due, end);
        world->now.wall += (int64_t)(next - world->now.monotonic);
        world->now.monotonic = next;
        if (due > end)
            break;
        advance(world);
    }
}

/* Raw bytes. */

void world_carry(struct world *world, bool to_gateway, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    bool carried = link_send(&world->link, to_gateway, path, bytes, size, world->now.monotonic);
    if (!carried)
        trace_loss(world->trace, to_gateway, path, bytes, size, world->now.monotonic);
}

void world_datagram(struct world *world, const char *address, const uint8_t *bytes, size_t size)
{
    struct shard_path path = {.peer = world_address(address), .local = world->gateway};
    world_carry(world, true, &path, bytes, size);
}

void world_stream_bytes(struct simulated_device *device, const uint8_t *bytes, size_t size)
{
    byte_buffer_append(&device->outgoing, bytes, size);
}

/* Commands. */

struct seam_command *world_command(struct world *world, enum seam_operation operation, const char *id,
                                   const void *payload, size_t size, uint64_t time_to_live)
{
    struct seam_command *command = calloc(1, sizeof *command);
    uint8_t *copy = malloc(size + 1);
    require(command != NULL && copy != NULL);
    if (size > 0)
        memcpy(copy, payload, size);
    *command = (struct seam_command){.operation = operation,
                                     .deadline = world->now.monotonic + time_to_live,
                                     .payload = copy,
                                     .size = (uint16_t)size};
    require(config_device_id_parse(id, command->device));
    return command;
}

void world_submit(struct world *world, struct seam_command *command)
{
    world_enter(world);
    shard_command(world->shard, command, world->now);
    world_leave(world);
    world_ports_collect(world);
}

struct seam_command *world_send(struct world *world, const char *id, const char *text)
{
    struct seam_command *command = world_command(world, SEAM_SEND, id, text, strlen(text), 30 * WORLD_SECOND);
    world_submit(world, command);
    return command;
}

void world_command_free(struct seam_command *command)
{
    require(command->outcome != SEAM_PENDING && command->payload == NULL);
    free(command);
}
