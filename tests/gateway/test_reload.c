/* HUP, and keys that end by themselves (docs/security.md rule 3). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/shard_internal.h"

#define DAY (24 * 3600 * WORLD_SECOND)

static void closes_sessions_whose_key_is_gone(enum usmp_transport transport, unsigned wire)
{
    static const char *const registries[] = {
        "devices: {'" ID "': {revoked: true}, '" OTHER_ID "': {psk: '" OTHER_PSK "'}}\n",
        "devices: {'" ID "': {psk: 'a new secret, as long as the old'}, '" OTHER_ID "': {psk: '" OTHER_PSK "'}}\n",
        "devices: {'" OTHER_ID "': {psk: '" OTHER_PSK "'}}\n",
        "devices: {'" ID "': [{psk: '" PSK "', until: 2020-01-01}], '" OTHER_ID "': {psk: '" OTHER_PSK "'}}\n",
    };
    for (size_t index = 0; index < sizeof registries / sizeof registries[0]; index++) {
        struct world *world = world_open(NULL, DEVICES);
        struct simulated_device *device = connected(world, transport, wire);
        struct simulated_device *other = world_connect(world, transport, wire, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
        world_settle(world);
        world_reload(world, NULL, registries[index]);
        world_settle(world);
        expect_events(world, 3);
        expect_disconnected(world, 2, ID, SEAM_REVOKED);
        if (wire == 2)
            assert_true(device->over);
        assert_true(simulated_device_is_connected(other));
        refused(world, transport, wire, ID, PSK, "192.0.2.7:50999");
        simulated_device_close(other);
        expect_nothing_left(world);
        world_close(world);
    }
}

static void closes_sessions_whose_key_is_gone_on_all(void **state)
{
    (void)state;
    on_all(closes_sessions_whose_key_is_gone);
}

static void leaves_the_others_alone(void **state)
{
    static const char *const registries[] = {
        DEVICES, "devices: {'" ID "': [{psk: 'the one to move to, a long one'}, {psk: '" PSK "'}]}\n",
        "default: {psk: '" PSK "'}\n", /* the same key by another way */
    };
    (void)state;
    for (size_t index = 0; index < sizeof registries / sizeof registries[0]; index++) {
        struct world *world = world_open(NULL, DEVICES);
        struct simulated_device *device = connected(world, USMP_UDP, 2);
        world_reload(world, NULL, registries[index]);
        simulated_device_send(device, "still here", 10);
        world_settle(world);
        expect_events(world, 2);
        expect_text(world, 1, ID, "still here");
        world_close(world);
    }
}

static void takes_over_settings(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    connected(world, USMP_UDP, 2);
    struct simulated_device *other = world_connect(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    world_settle(world);
    world_run(world, 10 * WORLD_SECOND);
    world_reload(world, "session_timeout: 20s\n",
                 "devices:\n"
                 "  '" ID "': {psk: '" PSK "', max_downlink: 3}\n"
                 "  '" OTHER_ID "': {psk: '" OTHER_PSK "', session_timeout: 30s}\n");
    expect_outcome(world_send(world, ID, "four"), SEAM_TOO_LARGE);
    world_run(world, 9900000);
    expect_events(world, 2);
    world_run(world, 200000);
    expect_disconnected(world, 2, ID, SEAM_TIMEOUT);
    world_run(world, 9700000);
    expect_events(world, 3);
    world_run(world, 300000);
    expect_disconnected(world, 3, OTHER_ID, SEAM_TIMEOUT);
    assert_true(other->over);
    world_close(world);
}

/* A time-out that is already over ends the session at once. */
static void a_shorter_timeout_may_be_over_already(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    connected(world, USMP_UDP, 2);
    world_run(world, 10 * WORLD_SECOND);
    world_reload(world, "session_timeout: 5s\n", DEVICES);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_TIMEOUT);
    world_close(world);
}

/* wire.* is for new sessions. */
static void leaves_what_is_for_new_sessions(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 1);
    world_reload(world, "wire: {v1_downlink: true, versions: [2]}\n", DEVICES);
    expect_outcome(world_send(world, ID, "down"), SEAM_FORBIDDEN);
    simulated_device_send(device, "up", 2);
    world_settle(world);
    expect_text(world, 1, ID, "up");
    refused(world, USMP_UDP, 1, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    refused(world, USMP_TCP, 1, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    world_reload(world, "wire: {v1_downlink: true}\n", DEVICES);
    world_connect(world, USMP_UDP, 1, OTHER_ID, OTHER_PSK, "192.0.2.8:50125");
    world_settle(world);
    struct seam_command *command = world_send(world, OTHER_ID, "down");
    world_settle(world);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

/* Neither a key that is gone nor a wire may slip through a handshake that began before. */
static void pending_handshakes_meet_the_new_registry(enum usmp_transport transport, unsigned wire)
{
    static const struct {
        const char *config;
        const char *devices;
        bool accepted;
        unsigned only_wire;
    } cases[] = {
        {NULL, "devices: {'" ID "': {revoked: true}}\n", false, 0},
        {NULL, "devices: {'" ID "': {psk: 'a new secret, as long as the old'}}\n", false, 0},
        {NULL, "devices: {'" ID "': {psk: '" PSK "', wire: [1]}}\n", true, 1},
        {"wire: {versions: [2]}\n", DEVICES, true, 2},
        {"wire: {versions: [2]}\n", "devices: {'" ID "': {psk: '" PSK "', wire: [1, 2]}}\n", true, 0},
        {NULL, "default: {psk: '" PSK "'}\n", true, 0},
    };
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        bool accepted = cases[index].accepted && (cases[index].only_wire == 0 || cases[index].only_wire == wire);
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare_device(world, transport, wire, ID, PSK, ADDRESS);
        bare_hello(&device, 0, NULL);
        if (transport == USMP_UDP)
            bare_expect_utack(&device, USMP_HELLO, 0, false);
        bare_expect_challenge(&device);
        world_reload(world, cases[index].config, cases[index].devices);
        bare_hello_ack(&device, 0);
        expect_events(world, accepted ? 1 : 0);
        if (!accepted && transport == USMP_TCP)
            bare_expect_closed(&device);
        world_close(world);
    }
}

static void pending_handshakes_meet_the_new_registry_on_all(void **state)
{
    (void)state;
    on_all(pending_handshakes_meet_the_new_registry);
}

static void a_key_that_is_new_completes_a_pending_handshake(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, "devices: {'" OTHER_ID "': {psk: '" OTHER_PSK "'}}\n");
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    bare_hello_ack(&device, 0);
    bare_expect_silence(&device);
    world_reload(world, NULL, DEVICES);
    bare_hello_ack(&device, 0);
    bare_expect_utack(&device, USMP_HELLO_ACK, 0, false);
    bare_expect_session_ok(&device);
    world_close(world);
}

/* 00:00 UTC of that day. The world begins at 9 in the morning of 2026-11-22. */
#define UNTIL_TOMORROW "devices: {'" ID "': [{psk: '" PSK "', until: 2026-11-23}]}\n"

static void until_comes_for_live_sessions_too(enum usmp_transport transport, unsigned wire)
{
    struct world *world = world_open("session_timeout: 0s\n", UNTIL_TOMORROW);
    connected(world, transport, wire);
    world_run(world, 15 * 3600 * WORLD_SECOND - 1);
    expect_events(world, 1);
    world_run(world, 1);
    world_settle(world);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_REVOKED);
    assert_int_equal(world->events[1].event.time, WORLD_WALL + INT64_C(15) * 3600 * 1000000);
    refused(world, transport, wire, ID, PSK, "192.0.2.7:50999");
    expect_nothing_left(world);
    world_close(world);
}

static void until_comes_for_live_sessions_too_on_all(void **state)
{
    (void)state;
    on_all(until_comes_for_live_sessions_too);
}

/* Each in its turn, and then there is nothing to wait for. */
static void several_until_come_one_after_the_other(void **state)
{
    (void)state;
    struct world *world =
        world_open("session_timeout: 0s\n", "devices:\n"
                                            "  '" ID "': [{psk: '" PSK "', until: 2026-11-25}]\n"
                                            "  '" OTHER_ID "': [{psk: '" OTHER_PSK "', until: 2026-11-23}]\n"
                                            "  '" THIRD_ID "': {psk: '" PSK "'}\n");
    world_connect(world, USMP_TCP, 2, ID, PSK, "192.0.2.7:1");
    world_connect(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:2");
    world_connect(world, USMP_TCP, 2, THIRD_ID, PSK, "192.0.2.7:3");
    world_settle(world);
    world_run(world, DAY);
    expect_events(world, 4);
    expect_disconnected(world, 3, OTHER_ID, SEAM_REVOKED);
    world_run(world, DAY);
    expect_events(world, 4);
    world_run(world, DAY);
    expect_events(world, 5);
    expect_disconnected(world, 4, ID, SEAM_REVOKED);
    world_run(world, 100 * DAY);
    expect_events(world, 5);
    assert_int_equal(shard_deadline(world->shard), SHARD_NEVER);
    world_close(world);
}

/* The wall clock may step without the monotonic one: it is looked at every hour. */
static void the_clock_is_set_forward(void **state)
{
    (void)state;
    struct world *world = world_open("session_timeout: 0s\n", UNTIL_TOMORROW);
    connected(world, USMP_UDP, 2);
    world->now.wall += (int64_t)DAY;
    world_run(world, 3600 * WORLD_SECOND);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_REVOKED);
    world_close(world);
}

static void the_clock_is_set_back(void **state)
{
    (void)state;
    struct world *world = world_open("session_timeout: 0s\n", UNTIL_TOMORROW);
    connected(world, USMP_UDP, 2);
    world_run(world, 14 * 3600 * WORLD_SECOND);
    world->now.wall -= 10 * 3600 * (int64_t)WORLD_SECOND;
    world_run(world, 10 * 3600 * WORLD_SECOND);
    expect_events(world, 1);
    world_run(world, 3600 * WORLD_SECOND);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_REVOKED);
    world_close(world);
}

/* The registry is walked when an `until` may have come, not each time there is something to tidy up. */
static void housekeeping_does_not_walk_the_registry(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {lockout_after: 0}\nsession_timeout: 0s\n", UNTIL_TOMORROW);
    connected(world, USMP_UDP, 2);
    for (unsigned time = 0; time < 30; time++)
        world_vanish(refused(world, USMP_TCP, 2, ID, OTHER_PSK, "192.0.2.9:1"));
    int64_t seen = world->shard->registry_expiry;
    world->shard->registry_expiry = seen + 1; /* if it is looked up, it is right again */
    world_run(world, 10 * WORLD_SECOND);
    assert_int_equal(world_count_logs(world, "suppressed"), 1);
    assert_int_equal(world->shard->registry_expiry, seen + 1);
    world->shard->registry_expiry = seen;
    world_run(world, 15 * 3600 * WORLD_SECOND);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_REVOKED);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes_sessions_whose_key_is_gone_on_all),
        cmocka_unit_test(leaves_the_others_alone),
        cmocka_unit_test(takes_over_settings),
        cmocka_unit_test(a_shorter_timeout_may_be_over_already),
        cmocka_unit_test(leaves_what_is_for_new_sessions),
        cmocka_unit_test(pending_handshakes_meet_the_new_registry_on_all),
        cmocka_unit_test(a_key_that_is_new_completes_a_pending_handshake),
        cmocka_unit_test(until_comes_for_live_sessions_too_on_all),
        cmocka_unit_test(several_until_come_one_after_the_other),
        cmocka_unit_test(the_clock_is_set_forward),
        cmocka_unit_test(the_clock_is_set_back),
        cmocka_unit_test(housekeeping_does_not_walk_the_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
