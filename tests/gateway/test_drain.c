/* TERM: every session ends with a BYE where one may be sent, and nobody new comes in. */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

static void says_bye_to_all(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open("wire: {v1_downlink: true}\n", DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    shard_drain(world->shard, world->now);
    assert_int_equal(shard_is_drained(world->shard), transport == USMP_TCP);
    world_settle(world);
    assert_true(shard_is_drained(world->shard));
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_SHUTDOWN);
    assert_int_equal(device->end.session.end, USMP_END_BYE);
    expect_nothing_left(world);
    world_close(world);
}

static void says_bye_to_all_on_all(void **state)
{
    (void)state;
    on_all(says_bye_to_all);
}

/* Five times over UDP, and then it is given up. */
static void repeats_bye_until_it_is_acknowledged(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    shard_drain(world->shard, world->now);
    world_run(world, 600000);
    bare_expect_record(&device, USMP_BYE, 0, NULL, 0);
    bare_expect_record(&device, USMP_BYE, 0, NULL, 0);
    bare_expect_silence(&device);
    assert_false(shard_is_drained(world->shard));
    bare_record(&device, USMP_DATA, 0, "not accepted any more", 21);
    bare_expect_silence(&device);
    bare_utack(&device, USMP_BYE, 0, true);
    assert_true(shard_is_drained(world->shard));
    world_run(world, 30 * WORLD_SECOND);
    bare_expect_silence(&device);
    expect_events(world, 2);
    world_close(world);

    world = world_open(NULL, DEVICES);
    device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    shard_drain(world->shard, world->now);
    world_run(world, 60 * WORLD_SECOND);
    for (unsigned send = 0; send < 5; send++)
        bare_expect_record(&device, USMP_BYE, 0, NULL, 0);
    bare_expect_silence(&device);
    assert_true(shard_is_drained(world->shard));
    expect_nothing_left(world);
    world_close(world);
}

/* Both say BYE: both are answered. */
static void meets_the_devices_own_bye(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    shard_drain(world->shard, world->now);
    world_settle(world);
    bare_expect_record(&device, USMP_BYE, 0, NULL, 0);
    bare_record(&device, USMP_BYE, 0, NULL, 0);
    bare_expect_utack(&device, USMP_BYE, 0, true);
    assert_true(shard_is_drained(world->shard));
    bare_repeat(&device);
    bare_expect_utack(&device, USMP_BYE, 0, true);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_SHUTDOWN);
    expect_nothing_left(world);
    world_close(world);
}

static void lets_nobody_in_any_more(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device udp = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    struct bare_device tcp = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    struct bare_device silent = bare_device(world, USMP_TCP, 2, THIRD_ID, PSK, OTHER_ADDRESS);
    bare_hello(&udp, 0, NULL);
    bare_expect_utack(&udp, USMP_HELLO, 0, false);
    bare_expect_challenge(&udp);
    bare_hello(&tcp, 0, NULL);
    bare_expect_challenge(&tcp);
    shard_drain(world->shard, world->now);
    bare_expect_closed(&tcp);
    bare_expect_closed(&silent);
    bare_hello_ack(&udp, 0);
    bare_expect_silence(&udp);
    bare_restart(&udp);
    bare_hello(&udp, 0, NULL);
    bare_expect_silence(&udp);
    struct bare_device late = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    bare_expect_closed(&late);
    expect_events(world, 0);
    assert_true(shard_is_drained(world->shard));
    world_run(world, 20 * WORLD_SECOND);
    bare_expect_silence(&udp); /* nor is a CHALLENGE repeated that leads nowhere */
    expect_nothing_left(world);
    world_close(world);
}

/* One that never heard SESSION_OK is not spoken to. */
static void says_no_bye_to_whom_it_is_not_confirmed(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    bare_hello_ack(&device, 0);
    bare_expect_utack(&device, USMP_HELLO_ACK, 0, false);
    bare_expect_session_ok(&device);
    shard_drain(world->shard, world->now);
    world_run(world, 20 * WORLD_SECOND);
    bare_expect_silence(&device);
    expect_disconnected(world, 1, ID, SEAM_SHUTDOWN);
    assert_true(shard_is_drained(world->shard));
    expect_nothing_left(world);
    world_close(world);
}

static void ends_what_waits(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *tcp = connected(world, USMP_TCP, 2);
    struct simulated_device *udp = world_connect(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    world_settle(world);
    world_take_credit(world);
    simulated_device_send(tcp, "waits", 5);
    simulated_device_send(udp, "waits", 5);
    udp->silent = true;
    world_settle(world);
    assert_true(tcp->paused);
    struct seam_command *first = world_send(world, OTHER_ID, "first");
    struct seam_command *second = world_send(world, OTHER_ID, "second");
    shard_drain(world->shard, world->now);
    world_settle(world);
    expect_outcome(first, SEAM_UNCONFIRMED);
    expect_outcome(second, SEAM_NOT_CONNECTED);
    expect_events(world, 4);
    expect_outcome(world_send(world, OTHER_ID, "third"), SEAM_NOT_CONNECTED);
    world_give_credit(world, WORLD_CREDIT);
    expect_nothing_left(world);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_bye_to_all_on_all),
        cmocka_unit_test(repeats_bye_until_it_is_acknowledged),
        cmocka_unit_test(meets_the_devices_own_bye),
        cmocka_unit_test(lets_nobody_in_any_more),
        cmocka_unit_test(says_no_bye_to_whom_it_is_not_confirmed),
        cmocka_unit_test(ends_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
