/* Nothing is accepted that there is no room for, and all that is accepted comes out once (docs/design.md promises 2 and
 * 4, seam/credit.h). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/shard_internal.h"

#define EVENT SEAM_EVENT_OVERHEAD

static const char two_backends[] = "backends:\n"
                                   "  - {name: all, socket: /run/usmpd/all.sock}\n"
                                   "  - {name: one, socket: /run/usmpd/one.sock, devices: ['" ID "']}\n";

static const char one_backend[] = "backends:\n"
                                  "  - {name: one, socket: /run/usmpd/one.sock, devices: ['" ID "']}\n";

static void waits_over_udp_without_a_utack(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        struct simulated_device *device = connected(world, USMP_UDP, wire);
        world_take_credit(world);
        simulated_device_send(device, "wait", 4);
        world_run(world, 20 * WORLD_SECOND);
        expect_events(world, 1);
        assert_int_equal(device->acknowledged, 0);
        assert_int_equal(device->utacks_heard[USMP_DATA], 0);
        world_give_credit(world, EVENT + 3);
        world_run(world, 5 * WORLD_SECOND);
        expect_events(world, 1); /* a byte is missing */
        world_give_credit(world, 1);
        world_run(world, 5 * WORLD_SECOND);
        assert_int_equal(device->acknowledged, 1);
        expect_events(world, 2);
        expect_text(world, 1, ID, "wait");
        expect_events_paired(world);
        assert_int_equal(world->shard->credit.bytes[0], 0);
        world_close(world);
    }
}

static void is_not_read_over_tcp(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        struct simulated_device *device = connected(world, USMP_TCP, wire);
        world_take_credit(world);
        simulated_device_send(device, "first", 5);
        simulated_device_send(device, "second", 6);
        world_settle(world);
        assert_true(device->paused);
        simulated_device_send(device, "third", 5);
        world_run(world, 20 * WORLD_SECOND);
        assert_true(device->paused);
        expect_events(world, 1);

        /* Going on takes room for the longest message, so that it does not have to stop again at once. */
        world_give_credit(world, seam_event_cost(SEAM_PAYLOAD_MAX) - 1);
        world_settle(world);
        assert_true(device->paused);
        world_give_credit(world, 1);
        world_settle(world);
        assert_false(device->paused);
        expect_events(world, 4);
        expect_text(world, 1, ID, "first");
        expect_text(world, 2, ID, "second");
        expect_text(world, 3, ID, "third");
        expect_events_paired(world);
        world_close(world);
    }
}

static void a_message_of_several_frames_waits_as_a_whole(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    uint8_t bytes[USMP_MESSAGE_MAX];
    memset(bytes, 'm', sizeof bytes);
    world_take_credit(world);
    world_give_credit(world, seam_event_cost(sizeof bytes) - 1);
    simulated_device_send(device, bytes, sizeof bytes);
    world_run(world, 3 * WORLD_SECOND);
    expect_events(world, 1);
    world_give_credit(world, 1);
    world_run(world, 5 * WORLD_SECOND);
    expect_events(world, 2);
    expect_message(world, 1, ID, bytes, sizeof bytes);
    expect_events_paired(world);
    world_close(world);
}

static void a_message_of_several_frames_waits_as_a_whole_on_all(void **state)
{
    (void)state;
    on_all(a_message_of_several_frames_waits_as_a_whole);
}

/* PING needs no room. */
static void control_frames_go_on_over_udp(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    world_take_credit(world);
    bare_record(&device, USMP_DATA, 0, "no room", 7);
    bare_expect_silence(&device);
    bare_record(&device, USMP_PING, 1, NULL, 0);
    bare_expect_utack(&device, USMP_PING, 1, true);
    bare_expect_record(&device, USMP_PONG, 0, NULL, 0);
    bare_utack(&device, USMP_PONG, 0, true);
    world_give_credit(world, WORLD_CREDIT);
    bare_record(&device, USMP_DATA, 0, "no room", 7);
    bare_expect_utack(&device, USMP_DATA, 0, true);
    expect_text(world, 1, ID, "no room");
    world_close(world);
}

/* Its end was paid for when it began. */
static void a_session_can_always_end(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    world_take_credit(world);
    simulated_device_close(device);
    world_settle(world);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_BYE);
    expect_events_paired(world);
    world_close(world);
}

static void a_session_can_always_end_on_all(void **state)
{
    (void)state;
    on_all(a_session_can_always_end);
}

/* Also while it waits. */
static void a_waiting_session_ends_without_its_message(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_TCP, 2);
    world_take_credit(world);
    simulated_device_send(device, "never", 5);
    world_settle(world);
    assert_true(device->paused);
    world_lose_stream(device);
    world_give_credit(world, WORLD_CREDIT);
    world_settle(world);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_PEER);
    expect_nothing_left(world);
    world_close(world);
}

static void a_session_needs_room_for_its_beginning_and_its_end(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    world_take_credit(world);
    world_give_credit(world, 2 * EVENT - 1);
    struct simulated_device *device = refused(world, transport, wire, ID, PSK, "192.0.2.7:50001");
    expect_events(world, 0);
    assert_int_equal(shard_counters(world->shard)->handshakes[transport][wire - 1][SHARD_HANDSHAKE_LIMITED], 1);
    if (transport == USMP_TCP)
        assert_true(device->stream_closed);
    assert_int_equal(world_count_logs(world, "device refused"), 1);
    assert_int_equal(world_count_logs(world, "authentication failed"), 0);

    world_give_credit(world, 1);
    device = world_connect(world, transport, wire, ID, PSK, "192.0.2.7:50002");
    world_settle(world);
    assert_true(simulated_device_is_connected(device));
    expect_events(world, 1);
    assert_int_equal(world->shard->credit.bytes[0], 0);
    expect_events_paired(world);
    world_close(world);
}

static void a_session_needs_room_for_its_beginning_and_its_end_on_all(void **state)
{
    (void)state;
    on_all(a_session_needs_room_for_its_beginning_and_its_end);
}

/* There has to be room with each backend whose patterns match. */
static void every_backend_needs_room(void **state)
{
    (void)state;
    struct world *world = world_open(two_backends, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    struct simulated_device *other = world_connect(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    world_settle(world);
    assert_int_equal(world->events[0].event.backends, 3);
    assert_int_equal(world->events[1].event.backends, 1);
    world->shard->credit.bytes[1] = 0;
    simulated_device_send(device, "both", 4);
    simulated_device_send(other, "first", 5);
    world_settle(world);
    expect_events(world, 3);
    expect_text(world, 2, OTHER_ID, "first");
    uint64_t before = world->shard->credit.bytes[0];
    world_give_credit(world, EVENT + 4);
    world_run(world, 5 * WORLD_SECOND);
    expect_events(world, 4);
    expect_text(world, 3, ID, "both");
    assert_int_equal(world->shard->credit.bytes[0], before);
    assert_int_equal(world->shard->credit.bytes[1], 0);
    world_close(world);
}

static void a_device_without_a_backend_is_refused(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(one_backend, DEVICES);
    refused(world, transport, wire, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    expect_events(world, 0);
    assert_int_equal(shard_counters(world->shard)->handshakes[transport][wire - 1][SHARD_HANDSHAKE_LIMITED], 1);
    expect_nothing_left(world);
    world_close(world);
}

static void a_device_without_a_backend_is_refused_on_all(void **state)
{
    (void)state;
    on_all(a_device_without_a_backend_is_refused);
}

/* Devices that were refused once and never came back must not stand in the way of connections that wait to be read:
 * nothing is spent on them, so no further credit would ever come. */
static void those_that_are_gone_hold_up_nobody(void **state)
{
    (void)state;
    struct world *world = world_open("session_timeout: 0s\n", "default: {psk: '" PSK "'}\n");
    struct simulated_device *gone[8];
    for (unsigned index = 0; index < 8; index++) {
        struct address address = world_address("192.0.2.9:1");
        address.port = (uint16_t)(1000 + index);
        uint8_t id[USMP_DEVICE_ID_SIZE] = {2, 0, 0, 0, 0, (uint8_t)index};
        gone[index] = world_connect_as(world, USMP_UDP, 2, id, PSK, &address, USMP_CIPHER_AUTO);
    }
    struct simulated_device *waiting = connected(world, USMP_TCP, 2);
    world_take_credit(world);
    for (unsigned index = 0; index < 8; index++)
        simulated_device_send(gone[index], "refused", 7);
    world_settle(world);
    for (unsigned index = 0; index < 8; index++)
        gone[index]->silent = true;
    simulated_device_send(waiting, "at last", 7);
    world_settle(world);
    assert_true(waiting->paused);

    world_give_credit(world, seam_event_cost(SEAM_PAYLOAD_MAX));
    world_run(world, WORLD_SECOND);
    assert_false(waiting->paused);
    expect_events(world, 10);
    expect_text(world, 9, ID, "at last");
    world_close(world);
}

/* Oldest first, and only as many as there is room for. */
static void connections_go_on_in_the_order_in_which_they_stopped(void **state)
{
    (void)state;
    static const char *const ids[] = {ID, OTHER_ID, THIRD_ID};
    static const char *const psks[] = {PSK, OTHER_PSK, PSK};
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *devices[3];
    for (unsigned index = 0; index < 3; index++)
        devices[index] = world_connect(world, USMP_TCP, 2, ids[index], psks[index], "192.0.2.7:40000");
    world_settle(world);
    world_take_credit(world);
    static const unsigned order[] = {2, 0, 1};
    for (unsigned index = 0; index < 3; index++) {
        simulated_device_send(devices[order[index]], "x", 1);
        world_settle(world);
    }
    world_give_credit(world, seam_event_cost(SEAM_PAYLOAD_MAX));
    assert_false(devices[2]->paused);
    assert_true(devices[0]->paused);
    assert_true(devices[1]->paused);
    world_settle(world);
    expect_events(world, 4);
    expect_text(world, 3, THIRD_ID, "x");
    world_give_credit(world, seam_event_cost(1)); /* what the hub gives back for the message that it took */
    world_settle(world);
    expect_events(world, 5);
    expect_text(world, 4, ID, "x");
    assert_true(devices[1]->paused);
    world_give_credit(world, seam_event_cost(1));
    world_settle(world);
    expect_text(world, 5, OTHER_ID, "x");
    expect_events_paired(world);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_over_udp_without_a_utack),
        cmocka_unit_test(is_not_read_over_tcp),
        cmocka_unit_test(a_message_of_several_frames_waits_as_a_whole_on_all),
        cmocka_unit_test(control_frames_go_on_over_udp),
        cmocka_unit_test(a_session_can_always_end_on_all),
        cmocka_unit_test(a_waiting_session_ends_without_its_message),
        cmocka_unit_test(a_session_needs_room_for_its_beginning_and_its_end_on_all),
        cmocka_unit_test(every_backend_needs_room),
        cmocka_unit_test(a_device_without_a_backend_is_refused_on_all),
        cmocka_unit_test(those_that_are_gone_hold_up_nobody),
        cmocka_unit_test(connections_go_on_in_the_order_in_which_they_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
