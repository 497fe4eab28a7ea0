#include "device/guest.h"

#include <string.h>

#include "gateway/random_numbers.h"
#include "gateway/require.h"

#define STEP UINT64_C(1000)

static void send_bytes(void *context, const uint8_t *bytes, size_t size)
{
    struct guest *guest = context;
    if (guest->port->transport == USMP_UDP)
        world_carry(guest->world, true, &guest->port->path, bytes, size);
    else if (guest->port->stream != NULL)
        world_stream_bytes(guest->port, bytes, size);
}

static void give_random(void *context, uint8_t *bytes, size_t size)
{
    struct guest *guest = context;
    random_fill(&guest->world->numbers, bytes, size);
}

static void want_to_dial(void *context)
{
    struct guest *guest = context;
    guest->wants_to_dial = true;
}

static void hear(void *context, const struct strict_event *event)
{
    struct guest *guest = context;
    switch (event->kind) {
    case STRICT_CONNECTED:
        guest->sessions++;
        break;
    case STRICT_MESSAGE:
        guest->heard++;
        guest->last_heard.size = event->size;
        if (event->size > 0)
            memcpy(guest->last_heard.bytes, event->bytes, event->size);
        break;
    case STRICT_SENT:
        guest->said++;
        break;
    case STRICT_OVER:
        guest->last_end = event->end;
        break;
    default:
        break;
    }
}

static void start(struct guest *guest, const struct strict_start *settings)
{
    strict_application_start(&guest->application, &guest->owner, settings, guest->world->now.monotonic);
}

void guest_arrive(struct guest *guest, struct world *world, const char *era, const struct strict_port *port,
                  enum strict_transport transport, uint8_t number)
{
    memset(guest, 0, sizeof *guest);
    guest->world = world;
    guest->owner = (struct strict_application_owner){guest, send_bytes, give_random, want_to_dial, hear};
    guest->address = world_address("192.0.2.0:40000");
    guest->address.bytes[15] = number;
    struct strict_start settings = {.era = strict_era_find(era),
                                    .port = port,
                                    .transport = transport,
                                    .id = {2, 0, 0, 0, 0, number},
                                    .psk = (const uint8_t *)GUEST_PSK,
                                    .psk_size = sizeof GUEST_PSK - 1,
                                    .socket_queue = STRICT_SOCKET_QUEUE_MAX};
    require(settings.era != NULL);
    start(guest, &settings);
}

void guest_leave(struct guest *guest)
{
    strict_application_end(&guest->application);
    if (guest->port != NULL)
        world_vanish(guest->port);
    guest->port = NULL;
}

void guest_reset(struct guest *guest)
{
    struct strict_start settings = guest->application.start;
    strict_application_end(&guest->application);
    start(guest, &settings);
}

void guest_say(struct guest *guest, const char *text)
{
    require(strict_application_post(&guest->application, (const uint8_t *)text, strlen(text)));
}

static void dial(struct guest *guest)
{
    enum usmp_transport transport = guest->application.start.transport == STRICT_UDP ? USMP_UDP : USMP_TCP;
    if (guest->port != NULL)
        world_vanish(guest->port);
    guest->wants_to_dial = false;
    guest->port = world_connect_bare_at(guest->world, transport, &guest->address);
    if (!guest->keeps_port)
        guest->address.port++;
    bool open = transport == USMP_UDP || guest->port->stream != NULL;
    strict_application_dialled(&guest->application, open, guest->world->now.monotonic);
}

static void take_input(struct guest *guest)
{
    uint64_t now = guest->world->now.monotonic;
    struct simulated_device *port = guest->port;
    while (port->received.first != NULL) {
        struct device_message *datagram = port->received.first;
        strict_application_datagram(&guest->application, datagram->bytes, datagram->size, now);
        device_messages_drop_first(&port->received);
    }
    if (port->incoming.size > 0) {
        size_t taken = strict_application_stream(&guest->application, port->incoming.bytes, port->incoming.size, now);
        byte_buffer_consume(&port->incoming, taken);
    }
    if (port->stream_closed && port->incoming.size == 0 && !guest->application.device.stream_closed)
        strict_application_stream_closed(&guest->application, now);
}

static void work(struct guest *guest)
{
    uint64_t now = guest->world->now.monotonic;
    if (guest->port != NULL)
        take_input(guest);
    if (strict_application_deadline(&guest->application) <= now)
        strict_application_advance(&guest->application, now);
    if (guest->wants_to_dial)
        dial(guest);
}

void guests_run(struct guest *guests, size_t count, uint64_t microseconds)
{
    struct world *world = guests[0].world;
    uint64_t end = world->now.monotonic + microseconds;
    while (world->now.monotonic < end) {
        for (size_t i = 0; i < count; i++)
            work(&guests[i]);
        world_run(world, STEP);
    }
}
