#include "simulation/world.h"

#include <assert.h>

#include <usmp/psk.h>
#include <usmp/start.h>

#define HANDSHAKE_TIMEOUT (10 * WORLD_SECONDS)

void world_begin(struct world *world, const struct world_settings *settings)
{
    const char *trouble = usmp_start();
    assert(trouble == NULL);
    (void)trouble;
    *world = (struct world){.random = {settings->seed}};
    world->blocks.random = &world->random;
    trace_begin(&world->trace);
    link_begin(&world->link, settings->transport, &settings->conditions, &world->random, &world->trace);

    uint8_t psk[32];
    simulation_random_fill(&world->random, psk, sizeof psk);
    struct gateway_settings gateway = {
        .ask_cookie = settings->ask_cookie,
        .may_send = true,
        .cipher = USMP_CIPHER_AUTO,
        .handshake_timeout = HANDSHAKE_TIMEOUT,
    };
    struct usmp_device_start device = {
        .transport = settings->transport,
        .version = settings->version,
        .cipher = settings->device_cipher,
        .device_id = {0xDE, 0xB1, 0xCE, 0x00, 0x00, 0x01},
        .give_up_after = HANDSHAKE_TIMEOUT,
    };
    usmp_psk_init(&gateway.psk, psk, sizeof psk);
    usmp_psk_init(&device.psk, psk, sizeof psk);
    gateway_end_begin(&world->gateway, &gateway, &world->link, &world->random, &world->trace, &world->blocks);
    device_end_begin(&world->device, &device, &world->link, &world->random, &world->trace, &world->blocks);
}

void world_end(struct world *world)
{
    device_end_end(&world->device);
    gateway_end_end(&world->gateway);
    assert(world->blocks.out == 0);
    link_end(&world->link);
    trace_end(&world->trace);
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

uint64_t world_next(const struct world *world)
{
    return earlier(link_next_arrival(&world->link),
                   earlier(gateway_end_deadline(&world->gateway), device_end_deadline(&world->device)));
}

/* What is due at one time: first what arrives, then the gateway, then the device. */
void world_step(struct world *world)
{
    uint64_t next = world_next(world);
    assert(next != UINT64_MAX);
    if (next > world->now)
        world->now = next;
    if (link_next_arrival(&world->link) <= world->now) {
        struct link_packet packet;
        link_take(&world->link, &packet);
        if (packet.direction == LINK_TO_GATEWAY)
            gateway_end_receive(&world->gateway, &packet, world->now);
        else
            device_end_receive(&world->device, &packet, world->now);
    } else if (gateway_end_deadline(&world->gateway) <= world->now) {
        gateway_end_advance(&world->gateway, world->now);
    } else {
        device_end_advance(&world->device, world->now);
    }
}

void world_run_until(struct world *world, uint64_t time)
{
    while (world_next(world) <= time)
        world_step(world);
    world->now = time;
}

void world_run_for(struct world *world, uint64_t microseconds)
{
    world_run_until(world, world->now + microseconds);
}
