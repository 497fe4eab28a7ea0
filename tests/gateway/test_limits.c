/* `limits` of the configuration, and that a device which replaces its own session needs no further place. */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/shard_internal.h"

#define DEFAULT "default: {psk: '" PSK "'}\n"

static struct simulated_device *connect_number(struct world *world, enum usmp_transport transport, unsigned number,
                                               const char *address)
{
    uint8_t id[USMP_DEVICE_ID_SIZE] = {2, 0, 0, 0, (uint8_t)(number >> 8), (uint8_t)number};
    struct address parsed = world_address(address);
    parsed.port = (uint16_t)(1000 + number);
    struct simulated_device *device = world_connect_as(world, transport, 2, id, PSK, &parsed, USMP_CIPHER_AUTO);
    world_settle(world);
    return device;
}

static uint64_t limited(const struct world *world, enum usmp_transport transport)
{
    return shard_counters(world->shard)->handshakes[transport][1][SHARD_HANDSHAKE_LIMITED];
}

static void sessions(enum usmp_transport transport, const char *config)
{
    struct world *world = world_open(config, DEFAULT);
    struct simulated_device *first = connect_number(world, transport, 1, "192.0.2.1:1");
    struct simulated_device *second = connect_number(world, transport, 2, "192.0.2.2:1");
    assert_true(simulated_device_is_connected(first) && simulated_device_is_connected(second));
    struct simulated_device *third = connect_number(world, transport, 3, "192.0.2.3:1");
    assert_false(simulated_device_is_connected(third));
    assert_int_equal(limited(world, transport), 1);
    assert_int_equal(world_count_logs(world, "device refused"), 1);
    assert_int_equal(world_count_logs(world, "authentication failed"), 0);

    /* Its own place is enough for a device that comes back, from wherever. */
    first->silent = true;
    struct simulated_device *again = connect_number(world, transport, 1, "203.0.113.1:1");
    assert_true(simulated_device_is_connected(again));

    simulated_device_close(second);
    world_settle(world);
    world_vanish(third);
    third = connect_number(world, transport, 3, "192.0.2.3:1");
    assert_true(simulated_device_is_connected(third));
    assert_int_equal(shard_session_count(world->shard), 2);
    expect_events_paired(world);
    simulated_device_close(third);
    simulated_device_close(again);
    expect_nothing_left(world);
    world_close(world);
}

static void limits_sessions(void **state)
{
    (void)state;
    sessions(USMP_TCP, "limits: {sessions: 2}\n");
    sessions(USMP_UDP, "limits: {sessions: 2}\n");
}

static void limits_sessions_with_the_default_psk(void **state)
{
    (void)state;
    sessions(USMP_TCP, "limits: {default_psk_sessions: 2}\n");
    sessions(USMP_UDP, "limits: {default_psk_sessions: 2}\n");
}

/* Only those with that key count. */
static void leaves_devices_with_a_key_of_their_own_out_of_the_default_limit(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {default_psk_sessions: 1}\n", DEVICES DEFAULT);
    assert_true(simulated_device_is_connected(connect_number(world, USMP_UDP, 1, "192.0.2.1:1")));
    connected(world, USMP_UDP, 2);
    assert_false(simulated_device_is_connected(connect_number(world, USMP_UDP, 2, "192.0.2.2:1")));
    world_close(world);
}

static void limits_sessions_of_an_address(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {sessions_per_ip: 2, trusted: ['198.51.100.0/24']}\n", DEFAULT);
    struct simulated_device *first = connect_number(world, USMP_UDP, 1, "192.0.2.1:1");
    assert_true(simulated_device_is_connected(first));
    assert_true(simulated_device_is_connected(connect_number(world, USMP_TCP, 2, "192.0.2.1:1")));
    assert_false(simulated_device_is_connected(connect_number(world, USMP_UDP, 3, "192.0.2.1:1")));
    assert_false(simulated_device_is_connected(connect_number(world, USMP_TCP, 4, "192.0.2.1:1")));
    assert_true(simulated_device_is_connected(connect_number(world, USMP_TCP, 5, "192.0.2.2:1")));
    for (unsigned number = 10; number < 15; number++)
        assert_true(simulated_device_is_connected(connect_number(world, USMP_UDP, number, "198.51.100.9:1")));

    first->silent = true;
    assert_true(simulated_device_is_connected(connect_number(world, USMP_TCP, 1, "192.0.2.1:1")));
    world_close(world);
}

/* One IPv6 customer has a /64. */
static void counts_ipv6_by_its_prefix(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {sessions_per_ip: 1}\n", DEFAULT);
    assert_true(simulated_device_is_connected(connect_number(world, USMP_UDP, 1, "[2001:db8:0:1::1]:1")));
    assert_false(simulated_device_is_connected(connect_number(world, USMP_UDP, 2, "[2001:db8:0:1:ffff::2]:1")));
    assert_true(simulated_device_is_connected(connect_number(world, USMP_UDP, 3, "[2001:db8:0:2::1]:1")));
    assert_true(simulated_device_is_connected(connect_number(world, USMP_UDP, 4, "192.0.2.1:1")));
    assert_false(simulated_device_is_connected(connect_number(world, USMP_UDP, 5, "[::ffff:192.0.2.1]:1")));
    assert_false(simulated_device_is_connected(connect_number(world, USMP_UDP, 6, "[64:ff9b::192.0.2.1]:1")));
    world_close(world);
}

/* HELLO takes the place, the session or the end gives it back. */
static void limits_handshakes_in_progress(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {handshakes: 2, handshakes_per_ip: 0}\n", DEVICES);
    struct bare_device first = bare_device(world, USMP_TCP, 2, ID, PSK, "192.0.2.1:1");
    struct bare_device second = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.2:1");
    bare_hello(&first, 0, NULL);
    bare_expect_challenge(&first);
    bare_hello(&second, 0, NULL);
    bare_expect_challenge(&second);
    struct bare_device third = bare_device(world, USMP_TCP, 2, THIRD_ID, PSK, "192.0.2.3:1");
    bare_hello(&third, 0, NULL);
    bare_expect_closed(&third);
    assert_int_equal(limited(world, USMP_TCP), 1);

    bare_hello_ack(&first, 0);
    bare_expect_session_ok(&first);
    third = bare_device(world, USMP_TCP, 2, THIRD_ID, PSK, "192.0.2.3:1");
    bare_hello(&third, 0, NULL);
    bare_expect_challenge(&third);
    world_lose_stream(second.port);
    struct bare_device fourth = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.2:1");
    bare_hello(&fourth, 0, NULL);
    bare_expect_challenge(&fourth);
    world_close(world);
}

static void limits_handshakes_of_an_address(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {trusted: ['198.51.100.0/24']}\n", DEVICES);
    struct bare_device devices[3];
    for (unsigned index = 0; index < 3; index++) {
        devices[index] = bare_device(world, USMP_TCP, 2, ID, PSK, "192.0.2.1:1");
        bare_hello(&devices[index], 0, NULL);
        bare_expect_challenge(&devices[index]);
    }
    struct bare_device fourth = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.1:1");
    bare_hello(&fourth, 0, NULL);
    bare_expect_closed(&fourth);
    struct bare_device elsewhere = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.2:1");
    bare_hello(&elsewhere, 0, NULL);
    bare_expect_challenge(&elsewhere);
    for (unsigned index = 0; index < 5; index++) {
        struct bare_device trusted = bare_device(world, USMP_TCP, 2, THIRD_ID, PSK, "198.51.100.7:1");
        bare_hello(&trusted, 0, NULL);
        bare_expect_challenge(&trusted);
    }

    /* Over UDP it is no proof of anybody without a cookie. */
    struct bare_device udp = bare_device(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, "192.0.2.1:1");
    bare_hello(&udp, 0, NULL);
    bare_expect_utack(&udp, USMP_HELLO, 0, false);
    bare_expect_challenge(&udp);
    world_run(world, 11 * WORLD_SECOND);
    fourth = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.1:1");
    bare_hello(&fourth, 0, NULL);
    bare_expect_challenge(&fourth);
    world_close(world);
}

/* Over UDP those count that have shown a cookie: they get no answer, and are nobody's failure. */
static void limits_handshakes_with_a_cookie(void **state)
{
    static const char *const configs[] = {"wire: {udp_cookie: always}\nlimits: {handshakes_per_ip: 1}\n",
                                          "wire: {udp_cookie: always}\nlimits: {handshakes: 1}\n"};
    (void)state;
    for (unsigned index = 0; index < 2; index++) {
        struct world *world = world_open(configs[index], DEVICES);
        struct bare_device first = bare_device(world, USMP_TCP, 2, ID, PSK, "192.0.2.1:1");
        bare_hello(&first, 0, NULL);
        bare_expect_challenge(&first);
        struct simulated_device *second = world_connect(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, "192.0.2.1:2");
        world_run(world, WORLD_SECOND);
        assert_int_equal(second->frames_heard[USMP_HELLO_RETRY], 1);
        assert_int_equal(second->frames_heard[USMP_CHALLENGE], 0);
        assert_in_range(limited(world, USMP_UDP), 2, 3); /* each time it repeats */
        bare_hello_ack(&first, 0);
        bare_expect_session_ok(&first);
        world_run(world, WORLD_SECOND);
        assert_true(simulated_device_is_connected(second));
        assert_int_equal(world_count_logs(world, "authentication failed"), 0);
        world_close(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_sessions),
        cmocka_unit_test(limits_sessions_with_the_default_psk),
        cmocka_unit_test(leaves_devices_with_a_key_of_their_own_out_of_the_default_limit),
        cmocka_unit_test(limits_sessions_of_an_address),
        cmocka_unit_test(counts_ipv6_by_its_prefix),
        cmocka_unit_test(limits_handshakes_in_progress),
        cmocka_unit_test(limits_handshakes_of_an_address),
        cmocka_unit_test(limits_handshakes_with_a_cookie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
