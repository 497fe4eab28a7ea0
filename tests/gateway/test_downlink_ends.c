/* What becomes of messages to a device when its session ends, however it ends: what was on the wire may have arrived
 * (`unconfirmed`), what was not goes back to the hub as not connected (seam/command.h). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/shard_internal.h"

#define WAITING 3u

static const char without_it[] = "devices:\n"
                                 "  '" OTHER_ID "': {psk: '" OTHER_PSK "'}\n";

enum way {
    WAY_BYE,
    WAY_PEER,
    WAY_TIMEOUT,
    WAY_REPLACED,
    WAY_PROTOCOL,
    WAY_CLOSED,
    WAY_REVOKED,
    WAY_SHUTDOWN,
    WAY_NEVER_CONFIRMED,
    WAYS,
};

static const enum seam_reason reasons[WAYS] = {
    [WAY_BYE] = SEAM_BYE,           [WAY_PEER] = SEAM_PEER,         [WAY_TIMEOUT] = SEAM_TIMEOUT,
    [WAY_REPLACED] = SEAM_REPLACED, [WAY_PROTOCOL] = SEAM_PROTOCOL, [WAY_CLOSED] = SEAM_CLOSED,
    [WAY_REVOKED] = SEAM_REVOKED,   [WAY_SHUTDOWN] = SEAM_SHUTDOWN, [WAY_NEVER_CONFIRMED] = SEAM_TIMEOUT,
};

static bool is_possible(enum usmp_transport transport, enum way way)
{
    if (way == WAY_PEER)
        return transport == USMP_TCP;
    return way != WAY_NEVER_CONFIRMED || transport == USMP_UDP;
}

/* Nine control frames at once. */
static void break_the_protocol(struct bare_device *device)
{
    for (uint32_t seq = 0; seq < 9; seq++)
        bare_record(device, USMP_PING, seq, NULL, 0);
}

static void end_it(struct world *world, struct bare_device *device, enum way way)
{
    struct seam_command *close;
    switch (way) {
    case WAY_BYE:
        bare_record(device, USMP_BYE, 0, NULL, 0);
        return;
    case WAY_PEER:
        world_lose_stream(device->port);
        world_settle(world);
        return;
    case WAY_TIMEOUT:
    case WAY_NEVER_CONFIRMED:
        world_run(world, 100 * WORLD_SECOND);
        return;
    case WAY_REPLACED:
        (void)world_connect(world, USMP_UDP, 2, ID, PSK, OTHER_ADDRESS);
        world_settle(world);
        return;
    case WAY_PROTOCOL:
        break_the_protocol(device);
        return;
    case WAY_CLOSED:
        close = world_command(world, SEAM_CLOSE, ID, NULL, 0, WORLD_SECOND);
        world_submit(world, close);
        expect_outcome(close, SEAM_CLOSE_DONE);
        return;
    case WAY_REVOKED:
        world_reload(world, NULL, without_it);
        world_settle(world);
        return;
    case WAY_SHUTDOWN:
        shard_drain(world->shard, world->now);
        world_settle(world);
        return;
    case WAYS:
        return;
    }
}

/* SESSION_OK is lost: nothing of ours may follow it. */
static void connect_halfway(struct bare_device *device)
{
    bare_hello(device, 0, NULL);
    bare_expect_utack(device, USMP_HELLO, 0, false);
    bare_expect_challenge(device);
    bare_hello_ack(device, 0);
    bare_ignore(device);
}

static void messages_of(enum usmp_transport transport, enum way way)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, transport, 2, ID, PSK, ADDRESS);
    bool is_out = way != WAY_NEVER_CONFIRMED;
    if (is_out)
        bare_connect(&device);
    else
        connect_halfway(&device);
    device.port->full = true; /* over TCP what is written waits */
    struct seam_command *commands[WAITING];
    for (unsigned index = 0; index < WAITING; index++) {
        commands[index] = world_command(world, SEAM_SEND, ID, "down", 4, 1000 * WORLD_SECOND);
        world_submit(world, commands[index]);
    }
    world_run(world, WORLD_SECOND);
    size_t before = world->finished_count;
    assert_int_equal(before, 0);
    end_it(world, &device, way);
    expect_disconnected(world, 1, ID, reasons[way]);
    for (unsigned index = 0; index < WAITING; index++)
        assert_ptr_equal(world->finished[index], commands[index]); /* in their order */
    expect_outcome(commands[0], is_out ? SEAM_UNCONFIRMED : SEAM_NOT_CONNECTED);
    expect_outcome(commands[1], SEAM_NOT_CONNECTED);
    expect_outcome(commands[2], SEAM_NOT_CONNECTED);
    world_close(world);
}

static void messages_end_with_their_session(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        if (is_possible(USMP_UDP, (enum way)way))
            messages_of(USMP_UDP, (enum way)way);
        if (is_possible(USMP_TCP, (enum way)way))
            messages_of(USMP_TCP, (enum way)way);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_end_with_their_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
