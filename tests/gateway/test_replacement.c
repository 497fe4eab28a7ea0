/* A device id has one live session, and the newest wins (docs/security.md rule 17). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

struct ends {
    enum usmp_transport transport;
    unsigned wire;
    const char *address;
};

static const struct ends befores[] = {
    {USMP_UDP, 2, "192.0.2.7:50123"},
    {USMP_UDP, 1, "192.0.2.7:50123"},
    {USMP_TCP, 2, "192.0.2.7:40001"},
    {USMP_TCP, 1, "192.0.2.7:40001"},
};

static const struct ends afters[] = {
    {USMP_UDP, 2, "192.0.2.7:50123"}, /* the same port */
    {USMP_UDP, 2, "192.0.2.7:50124"},   {USMP_UDP, 1, "192.0.2.7:50123"},     {USMP_TCP, 2, "192.0.2.7:40002"},
    {USMP_TCP, 1, "203.0.113.5:40002"}, {USMP_UDP, 2, "[2001:db8::1]:50123"},
};

static struct simulated_device *connect_as(struct world *world, const struct ends *ends)
{
    struct simulated_device *device = world_connect(world, ends->transport, ends->wire, ID, PSK, ends->address);
    world_settle(world);
    assert_true(simulated_device_is_connected(device));
    return device;
}

/* The old one vanished, as after a reset. */
static void replaces(const struct ends *before, const struct ends *after)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *old = connect_as(world, before);
    simulated_device_send(old, "old", 3);
    world_settle(world);
    old->silent = true;
    world_run(world, 5 * WORLD_SECOND);
    struct simulated_device *new = connect_as(world, after);
    if (before->transport == USMP_TCP)
        assert_true(old->stream_closed);
    simulated_device_send(new, "new", 3);
    world_settle(world);

    expect_events(world, 5);
    expect_connected(world, 0, ID);
    expect_text(world, 1, ID, "old");
    expect_disconnected(world, 2, ID, SEAM_REPLACED);
    expect_connected(world, 3, ID);
    expect_text(world, 4, ID, "new");
    assert_memory_equal(world->events[2].event.session, world->events[0].event.session, 16);
    assert_memory_not_equal(world->events[3].event.session, world->events[0].event.session, 16);
    assert_memory_equal(world->events[4].event.session, world->events[3].event.session, 16);
    assert_int_equal(shard_session_count(world->shard), 1);
    expect_events_paired(world);
    simulated_device_close(new);
    expect_nothing_left(world);
    world_close(world);
}

static void whatever_the_old_and_the_new_one_are(void **state)
{
    (void)state;
    for (size_t before = 0; before < sizeof befores / sizeof befores[0]; before++) {
        for (size_t after = 0; after < sizeof afters / sizeof afters[0]; after++)
            replaces(&befores[before], &afters[after]);
    }
}

/* What a device hears in the middle of its new handshake would confuse it: no BYE for the old session, and nothing of
 * what was on its way there. */
static void says_nothing_to_the_old_session(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct seam_command *command = world_send(world, ID, "to the old one");
    world_settle(world);
    bare_expect_record(&device, USMP_DATA, 0, "to the old one", 14);
    struct bare_device again = device;
    bare_restart(&again);
    bare_connect_with_cookie(&again);
    expect_outcome(command, SEAM_UNCONFIRMED);
    world_run(world, 20 * WORLD_SECOND);
    bare_expect_silence(&again);
    /* The old session is not known any more, not even to what was encrypted under its key. */
    bare_record(&device, USMP_DATA, 0, "of the old one", 14);
    bare_expect_silence(&again);
    expect_events(world, 3);
    world_close(world);
}

/* Neither is the BYE of a session that a backend closed repeated into the new one. */
static void repeats_no_bye_into_the_new_session(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    struct bare_device neighbour = bare_device(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    bare_connect(&device);
    bare_connect(&neighbour);
    static const char *const ids[] = {ID, OTHER_ID};
    for (unsigned index = 0; index < 2; index++) {
        struct seam_command *command = world_command(world, SEAM_CLOSE, ids[index], NULL, 0, WORLD_SECOND);
        world_submit(world, command);
        expect_outcome(command, SEAM_CLOSE_DONE);
    }
    world_settle(world);
    bare_expect_record(&device, USMP_BYE, 0, NULL, 0);
    bare_expect_record(&neighbour, USMP_BYE, 0, NULL, 0);
    struct bare_device again = device;
    bare_restart(&again);
    bare_connect(&again);
    world_run(world, 20 * WORLD_SECOND);
    bare_expect_silence(&again);
    for (unsigned repeat = 0; repeat < 4; repeat++)
        bare_expect_record(&neighbour, USMP_BYE, 0, NULL, 0);
    expect_events(world, 5);
    expect_connected(world, 4, ID);
    bare_record(&again, USMP_BYE, 0, NULL, 0);
    expect_nothing_left(world);
    world_close(world);
}

/* The order in which HELLOs came counts, not that in which handshakes are completed. */
static void an_older_handshake_never_replaces_a_younger_session(enum usmp_transport older, enum usmp_transport younger)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device first = bare_device(world, older, 2, ID, PSK, "192.0.2.7:50001");
    struct bare_device second = bare_device(world, younger, 2, ID, PSK, "192.0.2.7:50002");
    bare_hello(&first, 0, NULL);
    world_run(world, 1000);
    if (older == USMP_UDP)
        bare_expect_utack(&first, USMP_HELLO, 0, false);
    bare_expect_challenge(&first);
    bare_connect(&second);
    expect_events(world, 1);

    bare_hello_ack(&first, 2);
    if (older == USMP_TCP)
        bare_expect_closed(&first);
    else
        bare_expect_silence(&first);
    expect_events(world, 1);
    bare_record(&second, USMP_DATA, 0, "here", 4);
    expect_text(world, 1, ID, "here");
    bare_record(&second, USMP_BYE, 1, NULL, 0);
    expect_events(world, 3);
    expect_nothing_left(world);
    world_close(world);
}

/* Completing the younger one has cancelled the older one: it does not come back when the younger session has ended. */
static void an_older_handshake_does_not_outlive_a_younger_session(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device first = bare_device(world, USMP_UDP, 2, ID, PSK, "192.0.2.7:50001");
    struct bare_device second = bare_device(world, USMP_UDP, 2, ID, PSK, "192.0.2.7:50002");
    bare_hello(&first, 0, NULL);
    bare_expect_utack(&first, USMP_HELLO, 0, false);
    bare_expect_challenge(&first);
    world_run(world, 1000);
    bare_connect(&second);
    bare_record(&second, USMP_BYE, 0, NULL, 0);
    bare_hello_ack(&first, 2);
    bare_expect_silence(&first);
    expect_events(world, 2);
    expect_nothing_left(world);
    world_close(world);
}

static void an_older_handshake_is_cancelled_by_a_younger_session(void **state)
{
    (void)state;
    an_older_handshake_never_replaces_a_younger_session(USMP_UDP, USMP_UDP);
    an_older_handshake_never_replaces_a_younger_session(USMP_UDP, USMP_TCP);
    an_older_handshake_never_replaces_a_younger_session(USMP_TCP, USMP_UDP);
    an_older_handshake_never_replaces_a_younger_session(USMP_TCP, USMP_TCP);
}

/* Over TCP it hears so at once: its connection is closed when the younger one is completed. */
static void an_older_connection_is_closed_by_a_younger_session(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device first = bare_device(world, USMP_TCP, 2, ID, PSK, "192.0.2.7:50001");
    struct bare_device other = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:50009");
    struct bare_device second = bare_device(world, USMP_UDP, 2, ID, PSK, "192.0.2.7:50002");
    bare_hello(&first, 0, NULL);
    bare_expect_challenge(&first);
    bare_hello(&other, 0, NULL);
    bare_expect_challenge(&other);
    world_run(world, 1000);
    bare_connect(&second);
    bare_expect_closed(&first);
    assert_false(other.port->stream_closed);
    expect_events(world, 1);
    world_close(world);
}

/* A younger handshake that is not completed yet stays, and may replace what an older one made. */
static void a_younger_handshake_outlives_an_older_session(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device first = bare_device(world, USMP_UDP, 2, ID, PSK, "192.0.2.7:50001");
    struct bare_device second = bare_device(world, USMP_UDP, 2, ID, PSK, "192.0.2.7:50002");
    bare_hello(&first, 0, NULL);
    bare_expect_utack(&first, USMP_HELLO, 0, false);
    bare_expect_challenge(&first);
    world_run(world, 1000);
    bare_hello(&second, 0, NULL);
    bare_expect_utack(&second, USMP_HELLO, 0, false);
    bare_expect_challenge(&second);
    bare_hello_ack(&first, 2);
    expect_events(world, 1);
    bare_hello_ack(&second, 2);
    expect_events(world, 3);
    expect_disconnected(world, 1, ID, SEAM_REPLACED);
    expect_connected(world, 2, ID);
    world_close(world);
}

/* A forged HELLO with the id of a device does nothing to its session, neither does a wrong HELLO_ACK. */
static void whoever_has_no_key_replaces_nothing(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device attacker = bare_device(world, USMP_UDP, 2, ID, "a wrong secret, but long enough", ADDRESS);
    struct simulated_device *device = connected(world, USMP_UDP, 2); /* it hears what goes to that address */
    bare_hello(&attacker, 0, NULL);
    bare_hello_ack(&attacker, 0);
    simulated_device_send(device, "here", 4);
    world_settle(world);
    expect_events(world, 2);
    expect_text(world, 1, ID, "here");
    bare_expect_silence(&attacker);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_old_and_the_new_one_are),
        cmocka_unit_test(says_nothing_to_the_old_session),
        cmocka_unit_test(repeats_no_bye_into_the_new_session),
        cmocka_unit_test(an_older_handshake_is_cancelled_by_a_younger_session),
        cmocka_unit_test(an_older_handshake_does_not_outlive_a_younger_session),
        cmocka_unit_test(an_older_connection_is_closed_by_a_younger_session),
        cmocka_unit_test(a_younger_handshake_outlives_an_older_session),
        cmocka_unit_test(whoever_has_no_key_replaces_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
