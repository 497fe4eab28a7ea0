/* How often one device may complete a handshake (docs/security.md rule 18), and what is left of sessions that ended at
 * one place. */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/shard_internal.h"

#define AT_ONCE 10u
#define THEN_ONE_IN (2 * WORLD_SECOND)

static uint64_t count(const struct world *world, enum usmp_transport transport, enum shard_handshake_result result)
{
    return shard_counters(world->shard)->handshakes[transport][1][result];
}

/* The same device, again and again, as if somebody else had its key. */
static bool comes_back(struct world *world, enum usmp_transport transport)
{
    struct simulated_device *device = world_connect(world, transport, 2, ID, PSK, ADDRESS);
    world_settle(world);
    bool connected = simulated_device_is_connected(device);
    world_vanish(device);
    return connected;
}

static void a_device_completes_ten_at_once_and_then_one_in_two_seconds(void **state)
{
    (void)state;
    for (unsigned number = 0; number < 2; number++) {
        enum usmp_transport transport = (enum usmp_transport)number;
        struct world *world = world_open(NULL, DEVICES);
        for (unsigned round = 0; round < AT_ONCE; round++)
            assert_true(comes_back(world, transport));
        assert_false(comes_back(world, transport));
        assert_int_equal(count(world, transport, SHARD_HANDSHAKE_LIMITED), 1);

        /* That is no failure: many of them lock nobody out. */
        for (unsigned round = 0; round < 20; round++)
            assert_false(comes_back(world, transport));
        assert_int_equal(world_count_logs(world, "authentication failed"), 0);
        struct address address = world_address(ADDRESS);
        assert_int_equal(admission_lockouts(world->admission, world->now.monotonic), 0);
        assert_false(admission_is_locked_out(world->admission, &address, NULL, world->now.monotonic));

        /* Another device there is not concerned. */
        struct simulated_device *other = world_connect(world, transport, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:50999");
        world_settle(world);
        assert_true(simulated_device_is_connected(other));

        world_run(world, THEN_ONE_IN);
        assert_true(comes_back(world, transport));
        assert_false(comes_back(world, transport));
        assert_int_equal(count(world, transport, SHARD_HANDSHAKE_BAD_PSK), 0);
        world_close(world);
    }
}

/* The key exchange is the dear part, and a wrong key is told by then. */
static void it_is_refused_before_the_key_exchange(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    for (unsigned round = 0; round < AT_ONCE; round++)
        assert_true(comes_back(world, USMP_TCP));
    unsigned before = world->shard->strangers.spent;
    assert_false(comes_back(world, USMP_TCP));
    assert_in_range(world->shard->strangers.spent - before, 0, STRANGER_COST_SESSION - 1);
    struct simulated_device *wrong = world_connect(world, USMP_TCP, 2, ID, OTHER_PSK, "203.0.113.1:1");
    world_settle(world);
    assert_false(simulated_device_is_connected(wrong));
    assert_int_equal(count(world, USMP_TCP, SHARD_HANDSHAKE_BAD_PSK), 1);
    world_close(world);
}

/* Whoever refuses is not counted: a gateway without room for a session takes none of the ten. */
static void what_another_limit_refuses_does_not_count(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {sessions: 1}\n", DEVICES);
    struct simulated_device *other = world_connect(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    world_settle(world);
    for (unsigned round = 0; round < 2 * AT_ONCE; round++)
        assert_false(comes_back(world, USMP_TCP));
    simulated_device_close(other);
    world_settle(world);
    for (unsigned round = 0; round < AT_ONCE; round++)
        assert_true(comes_back(world, USMP_TCP));
    world_close(world);
}

/* Each UTACK from an address and port looks at every session there. */
static void few_ended_sessions_stay_at_one_address_and_port(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, "default: {psk: '" PSK "'}\n");
    struct bare_device devices[8];
    for (unsigned number = 0; number < 8; number++) {
        char id[] = "de:ad:be:ef:00:00";
        id[16] = (char)('0' + number);
        devices[number] = bare_device(world, USMP_UDP, 2, id, PSK, ADDRESS);
        /* All share one port in the world's eyes: the newest hears. */
        bare_connect(&devices[number]);
        bare_record(&devices[number], USMP_BYE, 0, NULL, 0);
        bare_expect_utack(&devices[number], USMP_BYE, 0, true);
        world_run(world, 1000);
    }
    assert_int_equal(world->shard->lingering_count, 4);
    assert_int_equal(world->shard->sessions_by_path.count, 4);
    /* The latest are those that may have lost their answer. */
    struct bare_device *latest = &devices[7];
    bare_repeat(latest);
    bare_expect_utack(latest, USMP_BYE, 0, true);
    struct bare_device oldest = devices[0];
    oldest.port = latest->port;
    bare_repeat(&oldest);
    bare_expect_silence(&oldest);
    expect_nothing_left(world);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_completes_ten_at_once_and_then_one_in_two_seconds),
        cmocka_unit_test(it_is_refused_before_the_key_exchange),
        cmocka_unit_test(what_another_limit_refuses_does_not_count),
        cmocka_unit_test(few_ended_sessions_stay_at_one_address_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
