/* Sessions from HELLO to the end, each wire over each transport (docs/protocol.md sections 2 to 4). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/shard_internal.h"

#define WITH_DOWNLINK "wire: {v1_downlink: true}\n"

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t index = 0; index < size; index++)
        bytes[index] = (uint8_t)(index * 7 + size);
}

/* The edges of one, two, three and four frames. */
static const size_t sizes[] = {0, 1, 451, 452, 453, 903, 904, 905, 1355, 1356, 1357, 1807, 1808};

static void carries_messages_of_every_size_up(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    uint8_t bytes[USMP_MESSAGE_MAX];
    for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; index++) {
        fill(bytes, sizes[index]);
        simulated_device_send(device, bytes, sizes[index]);
        world_settle(world);
        expect_events(world, 2 + index);
        expect_message(world, 1 + index, ID, bytes, sizes[index]);
        assert_int_equal(device->acknowledged, 1 + index);
    }
    const struct shard_counters *counters = shard_counters(world->shard);
    assert_int_equal(counters->messages_up, sizeof sizes / sizeof sizes[0]);
    assert_int_equal(counters->bytes_up, 0 + 1 + 451 + 452 + 453 + 903 + 904 + 905 + 1355 + 1356 + 1357 + 1807 + 1808);
    world_close(world);
}

static void carries_messages_of_every_size_down(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(WITH_DOWNLINK, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    uint8_t bytes[USMP_MESSAGE_MAX];
    for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; index++) {
        fill(bytes, sizes[index]);
        struct seam_command *command = world_command(world, SEAM_SEND, ID, bytes, sizes[index], 30 * WORLD_SECOND);
        world_submit(world, command);
        world_settle(world);
        world_run(world, 0); /* the next fragment leaves when it is due, which is now */
        expect_received(device, index, bytes, sizes[index]);
        expect_outcome(command, transport == USMP_UDP ? SEAM_SENT_BY_DEVICE : SEAM_SENT_BY_SOCKET);
    }
    expect_received_count(device, sizeof sizes / sizeof sizes[0]);
    assert_int_equal(shard_counters(world->shard)->messages_down, sizeof sizes / sizeof sizes[0]);
    world_close(world);
}

static void tells_who_came_and_that_it_went(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    expect_connected(world, 0, ID);
    const struct seam_event *event = &world->events[0].event;
    struct address peer = world_address(ADDRESS);
    assert_true(address_equal(&event->peer, &peer));
    assert_int_equal(event->transport, transport == USMP_UDP ? SEAM_UDP : SEAM_TCP);
    assert_int_equal(event->wire, wire);
    assert_int_equal(event->time, world->now.wall);
    assert_int_equal(event->backends, 1);
    assert_memory_equal(event->session, device->end.session.session_id, sizeof event->session);
    assert_int_equal(shard_session_count(world->shard), 1);
    assert_int_equal(shard_counters(world->shard)->sessions[transport][wire - 1], 1);
    assert_int_equal(shard_counters(world->shard)->handshakes[transport][wire - 1][SHARD_HANDSHAKE_OK], 1);

    world_run(world, WORLD_SECOND);
    simulated_device_close(device);
    world_settle(world);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_BYE);
    assert_int_equal(world->events[1].event.time, world->now.wall);
    assert_memory_equal(world->events[1].event.session, event->session, sizeof event->session);
    assert_int_equal(shard_session_count(world->shard), 0);
    assert_int_equal(shard_counters(world->shard)->sessions[transport][wire - 1], 0);
    expect_nothing_left(world);
    world_close(world);
}

/* PING is answered where it may be; every one counts as life. */
static void answers_ping(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(WITH_DOWNLINK, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    for (unsigned round = 1; round <= 20; round++) {
        simulated_device_ping(device);
        world_run(world, 10 * WORLD_SECOND);
        assert_int_equal(device->frames_heard[USMP_PONG], round);
    }
    expect_events(world, 1);
    world_close(world);
}

/* The ninth within a second has no token any more. */
static void ends_one_that_sends_too_many_control_frames(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    for (unsigned round = 0; round < 8; round++) {
        simulated_device_ping(device);
        world_settle(world);
    }
    expect_events(world, 1);
    simulated_device_ping(device);
    world_settle(world);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_PROTOCOL);
    expect_nothing_left(world);
    world_close(world);
}

static void loses_the_connection(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        struct simulated_device *device = connected(world, USMP_TCP, wire);
        struct seam_command *command = world_send(world, ID, "down");
        world_lose_stream(device);
        world_settle(world);
        expect_disconnected(world, world->event_count - 1, ID, SEAM_PEER);
        expect_outcome(command, wire == 1 ? SEAM_FORBIDDEN : SEAM_SENT_BY_SOCKET);
        expect_nothing_left(world);
        world_close(world);
    }
}

static void closes_on_command(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(WITH_DOWNLINK, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    struct seam_command *command = world_command(world, SEAM_CLOSE, ID, NULL, 0, WORLD_SECOND);
    world_submit(world, command);
    world_settle(world);
    expect_outcome(command, SEAM_CLOSE_DONE);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_CLOSED);
    assert_true(device->over);
    assert_int_equal(device->end.session.end, USMP_END_BYE);
    expect_nothing_left(world);
    world_close(world);
}

/* Ended sessions answer copies of BYE for a while, without a place in any limit. */
static void answers_late_copies_of_bye(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        struct simulated_device *device = connected(world, USMP_UDP, wire);
        uint8_t bye[USMP_CONTROL_FRAME];
        simulated_device_close(device);
        assert_int_equal(world->link.count, 1);
        memcpy(bye, world->link.heap[0]->bytes, sizeof bye);
        world_settle(world);
        assert_int_equal(device->utacks_heard[USMP_BYE], 1);

        world_run(world, 14 * WORLD_SECOND);
        world_datagram(world, ADDRESS, bye, sizeof bye);
        world_settle(world);
        assert_int_equal(device->utacks_heard[USMP_BYE], 2);
        assert_int_equal(shard_session_count(world->shard), 0);

        world_run(world, 2 * WORLD_SECOND);
        const uint64_t *unknown = &shard_counters(world->shard)->dropped[SHARD_DROP_UNKNOWN];
        uint64_t before = *unknown;
        world_datagram(world, ADDRESS, bye, sizeof bye);
        world_settle(world);
        assert_int_equal(device->utacks_heard[USMP_BYE], 2);
        assert_int_equal(*unknown, before + 1);
        expect_events(world, 2);
        expect_nothing_left(world);
        world_close(world);
    }
}

/* There is a bound on those: who ends when it is reached is forgotten at once. */
static void forgets_the_ended_when_there_are_too_many(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    world->shard->lingering_count += 16384; /* as if so many had ended just now */
    bare_record(&device, USMP_BYE, 0, NULL, 0);
    bare_expect_utack(&device, USMP_BYE, 0, true);
    bare_repeat(&device);
    bare_expect_silence(&device);
    assert_null(world->shard->newest_session);
    world->shard->lingering_count -= 16384;
    expect_disconnected(world, 1, ID, SEAM_BYE);
    expect_nothing_left(world);
    world_close(world);
}

/* A device that never acknowledges SESSION_OK and never sends: the session was there all the same. */
static bool loses_session_ok(void *context, const struct packet *packet)
{
    (void)context;
    return !packet->to_gateway && packet->bytes[3] == USMP_SESSION_OK && packet->bytes[0] == USMP_MAGIC_0;
}

static void ends_a_session_that_is_never_confirmed(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    world->link.loses = loses_session_ok;
    world_connect(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    world_settle(world);
    expect_connected(world, 0, ID);
    struct seam_command *command = world_send(world, ID, "down");
    world_run(world, 9900000);
    expect_events(world, 1);
    expect_pending(command); /* a C device that waits for SESSION_OK aborts on DATA */
    world_run(world, 200000);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_TIMEOUT);
    expect_outcome(command, SEAM_NOT_CONNECTED);
    expect_nothing_left(world);
    world_close(world);
}

static void two_devices_share_an_address(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *first = connected(world, USMP_UDP, 2);
    struct simulated_device *second = world_connect(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:50999");
    world_settle(world);
    simulated_device_send(first, "one", 3);
    simulated_device_send(second, "two", 3);
    world_settle(world);
    expect_events(world, 4);
    expect_text(world, 2, ID, "one");
    expect_text(world, 3, OTHER_ID, "two");
    world_close(world);
}

static void works_over_ipv6(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = world_connect(world, USMP_UDP, 2, ID, PSK, "[2001:db8::7]:50123");
    world_settle(world);
    simulated_device_send(device, "six", 3);
    world_settle(world);
    expect_text(world, 1, ID, "six");
    struct address peer = world_address("[2001:db8::7]:50123");
    assert_true(address_equal(&world->events[0].event.peer, &peer));
    world_close(world);
}

#define ON_ALL(test)                                                                                                   \
    static void test##_on_all(void **state)                                                                            \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        on_all(test);                                                                                                  \
    }

ON_ALL(carries_messages_of_every_size_up)
ON_ALL(carries_messages_of_every_size_down)
ON_ALL(tells_who_came_and_that_it_went)
ON_ALL(answers_ping)
ON_ALL(ends_one_that_sends_too_many_control_frames)
ON_ALL(closes_on_command)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_messages_of_every_size_up_on_all),
        cmocka_unit_test(carries_messages_of_every_size_down_on_all),
        cmocka_unit_test(tells_who_came_and_that_it_went_on_all),
        cmocka_unit_test(answers_ping_on_all),
        cmocka_unit_test(ends_one_that_sends_too_many_control_frames_on_all),
        cmocka_unit_test(loses_the_connection),
        cmocka_unit_test(closes_on_command_on_all),
        cmocka_unit_test(answers_late_copies_of_bye),
        cmocka_unit_test(forgets_the_ended_when_there_are_too_many),
        cmocka_unit_test(ends_a_session_that_is_never_confirmed),
        cmocka_unit_test(two_devices_share_an_address),
        cmocka_unit_test(works_over_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
