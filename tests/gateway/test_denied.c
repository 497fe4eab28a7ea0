/* A device that holds more than its share of a queue gets no credit (docs/security.md rule 22); who that is, the hub
 * says. */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "config/device_id.h"
#include "gateway/shard_internal.h"

static const char two_backends[] = "backends:\n"
                                   "  - {name: all, socket: /run/usmpd/all.sock}\n"
                                   "  - {name: one, socket: /run/usmpd/one.sock, devices: ['" ID "']}\n";

/* These devices (NULL: none) get no credit of the backend, all others of all backends do. */
static void deny(struct world *world, unsigned backend, const char *first, const char *second)
{
    struct seam_denied denied = {.lists = {{.count = 0}}};
    struct seam_denied_list *list = &denied.lists[backend];
    const char *const ids[] = {first, second};
    for (size_t index = 0; index < 2; index++) {
        if (ids[index] != NULL)
            assert_true(config_device_id_parse(ids[index], list->devices[list->count++]));
    }
    world_enter(world);
    shard_deny(world->shard, &denied, world->now);
    world_leave(world);
    world_settle(world);
}

static void what_it_sends_is_not_accepted(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    struct simulated_device *other = world_connect(world, transport, wire, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    world_settle(world);
    expect_events(world, 2);
    deny(world, 0, ID, NULL);
    simulated_device_send(device, "waits", 5);
    simulated_device_send(other, "goes", 4);
    world_run(world, WORLD_SECOND);
    expect_events(world, 3);
    expect_text(world, 2, OTHER_ID, "goes");
    /* New credit changes nothing for it; a connection is not even read. */
    uint64_t refused = shard_counters(world->shard)->dropped[SHARD_DROP_NO_ROOM];
    world_give_credit(world, 100000);
    if (transport == USMP_TCP)
        world_settle(world);
    assert_int_equal(shard_counters(world->shard)->dropped[SHARD_DROP_NO_ROOM], refused);
    world_run(world, 5 * WORLD_SECOND);
    expect_events(world, 3);
    if (transport == USMP_UDP)
        assert_int_equal(device->utacks_heard[USMP_DATA], 0);
    else
        assert_true(device->paused);
    /* It goes on without new credit. */
    deny(world, 0, NULL, NULL);
    world_run(world, 5 * WORLD_SECOND);
    expect_events(world, 4);
    expect_text(world, 3, ID, "waits");
    expect_events_paired(world);
    world_close(world);
}

static void what_it_sends_is_not_accepted_on_all(void **state)
{
    (void)state;
    on_all(what_it_sends_is_not_accepted);
}

/* "its watchdog stands still": of 60 s. */
static void it_is_not_timed_out_while_it_is_denied(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    struct simulated_device *silent = world_connect(world, transport, wire, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    world_settle(world);
    deny(world, 0, ID, NULL);
    simulated_device_send(device, "waits", 5);
    world_run(world, 200 * WORLD_SECOND);
    expect_events(world, 3);
    expect_disconnected(world, 2, OTHER_ID, SEAM_TIMEOUT);
    deny(world, 0, NULL, NULL);
    world_run(world, 5 * WORLD_SECOND);
    expect_events(world, 4);
    expect_text(world, 3, ID, "waits");
    assert_true(silent->over || transport == USMP_UDP);
    world_close(world);
}

static void it_is_not_timed_out_while_it_is_denied_on_all(void **state)
{
    (void)state;
    on_all(it_is_not_timed_out_while_it_is_denied);
}

/* What the device left in the queue counts on, so its next session begins where the last one ended. */
static void a_new_session_of_it_is_denied_as_well(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    deny(world, 0, ID, NULL);
    simulated_device_close(device);
    world_settle(world);
    expect_disconnected(world, 1, ID, SEAM_BYE);
    device = world_connect(world, transport, wire, ID, PSK, OTHER_ADDRESS);
    world_settle(world);
    expect_connected(world, 2, ID);
    simulated_device_send(device, "waits", 5);
    world_run(world, 5 * WORLD_SECOND);
    expect_events(world, 3);
    deny(world, 0, NULL, NULL);
    world_run(world, 5 * WORLD_SECOND);
    expect_text(world, 3, ID, "waits");
    expect_events_paired(world);
    world_close(world);
}

static void a_new_session_of_it_is_denied_as_well_on_all(void **state)
{
    (void)state;
    on_all(a_new_session_of_it_is_denied_as_well);
}

/* There must be room in all of its backends. */
static void one_of_its_backends_is_enough(void **state)
{
    (void)state;
    struct world *world = world_open(two_backends, DEVICES);
    struct simulated_device *device = connected(world, USMP_TCP, 2);
    struct simulated_device *other = world_connect(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    world_settle(world);
    expect_events(world, 2);
    /* The second is none of that backend's. */
    deny(world, 1, ID, OTHER_ID);
    simulated_device_send(device, "waits", 5);
    simulated_device_send(other, "goes", 4);
    world_run(world, WORLD_SECOND);
    expect_events(world, 3);
    expect_text(world, 2, OTHER_ID, "goes");
    deny(world, 0, ID, NULL); /* the other one now */
    world_run(world, WORLD_SECOND);
    expect_events(world, 3);
    deny(world, 0, OTHER_ID, NULL);
    world_run(world, WORLD_SECOND);
    expect_events(world, 4);
    expect_text(world, 3, ID, "waits");
    simulated_device_send(other, "waits now", 9);
    world_run(world, WORLD_SECOND);
    expect_events(world, 4);
    world_close(world);
}

static void it_goes_on_only_where_there_is_room(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_TCP, 2);
    deny(world, 0, ID, NULL);
    simulated_device_send(device, "waits", 5);
    world_settle(world);
    world_take_credit(world);
    deny(world, 0, NULL, NULL);
    assert_true(device->paused);
    world_give_credit(world, seam_event_cost(SEAM_PAYLOAD_MAX));
    world_settle(world);
    expect_events(world, 2);
    world_close(world);
}

/* Neither PING and BYE nor messages to it need credit. */
static void everything_but_messages_of_it_goes_on(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    deny(world, 0, ID, NULL);
    bare_record(&device, USMP_DATA, 0, "no", 2);
    bare_expect_silence(&device);
    bare_record(&device, USMP_PING, 1, NULL, 0);
    bare_expect_utack(&device, USMP_PING, 1, true);
    bare_expect_record(&device, USMP_PONG, 0, NULL, 0);
    bare_utack(&device, USMP_PONG, 0, true);
    struct seam_command *command = world_send(world, ID, "down");
    world_settle(world);
    bare_expect_record(&device, USMP_DATA, 1, "down", 4);
    bare_utack(&device, USMP_DATA, 1, true);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    bare_record(&device, USMP_BYE, 2, NULL, 0);
    bare_expect_utack(&device, USMP_BYE, 2, true);
    expect_disconnected(world, 1, ID, SEAM_BYE);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_sends_is_not_accepted_on_all),
        cmocka_unit_test(it_is_not_timed_out_while_it_is_denied_on_all),
        cmocka_unit_test(a_new_session_of_it_is_denied_as_well_on_all),
        cmocka_unit_test(one_of_its_backends_is_enough),
        cmocka_unit_test(it_goes_on_only_where_there_is_room),
        cmocka_unit_test(everything_but_messages_of_it_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
