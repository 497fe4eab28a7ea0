/* `session_timeout`: no new authentic frame for that long closes a session (docs/security.md rule 20). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#define WITH_TIMEOUT                                                                                                   \
    "devices:\n"                                                                                                       \
    "  '" ID "': {psk: '" PSK "', session_timeout: 15m}\n"                                                             \
    "  '" OTHER_ID "': {psk: '" OTHER_PSK "', session_timeout: 0s}\n"                                                  \
    "  '" THIRD_ID "': {psk: '" PSK "'}\n"

static void closes_one_that_is_silent(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    world_run(world, 59900000);
    expect_events(world, 1);
    world_run(world, 200000);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_TIMEOUT);
    assert_true(wire == 1 ? device->encrypted_heard == 0 : device->frames_heard[USMP_BYE] == 1);
    expect_nothing_left(world);
    world_close(world);
}

static void closes_one_that_is_silent_on_all(void **state)
{
    (void)state;
    on_all(closes_one_that_is_silent);
}

static void starts_afresh_with_every_message(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, wire);
    for (unsigned round = 0; round < 5; round++) {
        world_run(world, 59 * WORLD_SECOND);
        simulated_device_send(device, "x", 1);
        world_settle(world);
    }
    expect_events(world, 6);
    world_run(world, 59900000);
    expect_events(world, 6);
    world_run(world, 200000);
    expect_disconnected(world, 6, ID, SEAM_TIMEOUT);
    world_close(world);
}

static void starts_afresh_with_every_message_on_all(void **state)
{
    (void)state;
    on_all(starts_afresh_with_every_message);
}

static void a_device_may_have_its_own(void **state)
{
    (void)state;
    struct world *world = world_open("session_timeout: 10s\n", WITH_TIMEOUT);
    world_connect(world, USMP_UDP, 2, ID, PSK, "192.0.2.7:1001");
    world_connect(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:1002");
    world_connect(world, USMP_UDP, 2, THIRD_ID, PSK, "192.0.2.7:1003");
    world_run(world, 10100000);
    expect_events(world, 4);
    expect_disconnected(world, 3, THIRD_ID, SEAM_TIMEOUT);
    world_run(world, 15 * 60 * WORLD_SECOND);
    expect_events(world, 5);
    expect_disconnected(world, 4, ID, SEAM_TIMEOUT);
    world_run(world, 30 * 24 * 3600 * WORLD_SECOND);
    expect_events(world, 5);
    assert_int_equal(shard_session_count(world->shard), 1);
    assert_int_equal(shard_deadline(world->shard), SHARD_NEVER); /* idle costs nothing */
    world_close(world);
}

static void off_is_off(void **state)
{
    (void)state;
    struct world *world = world_open("session_timeout: 0s\n", DEVICES);
    connected(world, USMP_UDP, 2);
    world_run(world, 365 * 24 * 3600 * WORLD_SECOND);
    expect_events(world, 1);
    world_close(world);
}

/* Only what is new to the window: whoever recorded a frame keeps no session alive with it. */
static void copies_do_not_count(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 0, "x", 1);
    for (unsigned round = 0; round < 6; round++) {
        world_run(world, 9900000);
        bare_repeat(&device);
    }
    expect_events(world, 2);
    world_run(world, 700000);
    expect_events(world, 3);
    expect_disconnected(world, 2, ID, SEAM_TIMEOUT);
    world_close(world);
}

/* Whoever we do not read cannot show that he is alive. */
static void a_paused_connection_is_not_timed_out(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_TCP, 2);
    world_take_credit(world);
    simulated_device_send(device, "wait", 4);
    world_run(world, 3600 * WORLD_SECOND);
    expect_events(world, 1);
    world_give_credit(world, WORLD_CREDIT);
    world_settle(world);
    expect_events(world, 2);
    expect_text(world, 1, ID, "wait");
    world_run(world, 59 * WORLD_SECOND);
    expect_events(world, 2);
    world_run(world, 2 * WORLD_SECOND);
    expect_disconnected(world, 2, ID, SEAM_TIMEOUT);
    world_close(world);
}

/* As long as it tries it is there, even if its time-out is shorter than the pauses in which it repeats. */
static void a_refused_device_that_repeats_is_not_timed_out(void **state)
{
    (void)state;
    struct world *world = world_open("session_timeout: 1s\n", DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    world_take_credit(world);
    simulated_device_send(device, "wait", 4);
    world_run(world, 3600 * WORLD_SECOND);
    expect_events(world, 1);
    world_give_credit(world, WORLD_CREDIT);
    world_run(world, 4 * WORLD_SECOND);
    expect_text(world, 1, ID, "wait");
    world_close(world);
}

/* One that was refused for want of credit and is gone, is gone, whether credit comes or not. */
static void a_refused_device_that_is_gone_is_timed_out(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    world_take_credit(world);
    simulated_device_send(device, "wait", 4);
    world_settle(world);
    device->silent = true;
    world_run(world, 66 * WORLD_SECOND);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_TIMEOUT);
    world_close(world);
}

/* Its message was taken with what credit there was, without more being given. */
static void a_refused_device_that_gets_through_is_watched_again(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    world_take_credit(world);
    world_give_credit(world, seam_event_cost(1));
    bare_record(&device, USMP_DATA, 0, "too long", 8);
    bare_expect_silence(&device);
    bare_record(&device, USMP_DATA, 1, "s", 1);
    bare_expect_utack(&device, USMP_DATA, 1, true);
    world_run(world, 61 * WORLD_SECOND);
    expect_events(world, 3);
    expect_text(world, 1, ID, "s");
    expect_disconnected(world, 2, ID, SEAM_TIMEOUT);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes_one_that_is_silent_on_all),
        cmocka_unit_test(starts_afresh_with_every_message_on_all),
        cmocka_unit_test(a_device_may_have_its_own),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(copies_do_not_count),
        cmocka_unit_test(a_paused_connection_is_not_timed_out),
        cmocka_unit_test(a_refused_device_that_repeats_is_not_timed_out),
        cmocka_unit_test(a_refused_device_that_is_gone_is_timed_out),
        cmocka_unit_test(a_refused_device_that_gets_through_is_watched_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
