/* When a cookie is asked for (docs/security.md rule 10), and what a budget does for wire 1, which has none. */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"
#include "gateway/forgery.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/shard_internal.h"

#define AT_ONCE (200 / 3) /* handshakes, with two repeats each, that 200 CHALLENGEs are enough for */

/* Whether a HELLO from there, the first of its device, is answered with HELLO_RETRY alone; otherwise it is with UTACK
 * and CHALLENGE. */
static bool is_asked(struct world *world, const char *address)
{
    struct bare_device device = bare_device(world, USMP_UDP, 2, THIRD_ID, PSK, address);
    bare_hello(&device, 0, NULL);
    assert_non_null(device.port->received.first);
    bool asked = device.port->received.first->size == USMP_HELLO_RETRY_FRAME;
    if (asked) {
        uint8_t bytes[USMP_FRAME_MAX];
        bare_expect_frame(&device, USMP_HELLO_RETRY, bytes);
    } else {
        bare_expect_utack(&device, USMP_HELLO, 0, false);
        bare_expect_challenge(&device);
    }
    bare_expect_silence(&device);
    world_vanish(device.port);
    return asked;
}

static void fail_from(struct world *world, unsigned wire, const char *address)
{
    struct address from = world_address(address);
    forge_hello(world, wire, &from, 1);
    world_settle(world);
    forge_hello_ack(world, wire, &from);
    world_settle(world);
}

static void nobody_is_asked_without_a_reason(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    assert_false(is_asked(world, ADDRESS));
    world_close(world);
}

static void when_the_unproved_table_is_half_full(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    forge_hellos(world, 1, 0, UNPROVED_MAX / 2 - 1);
    world_run(world, 2 * WORLD_SECOND); /* the budget is full again */
    assert_false(is_asked(world, "192.0.2.1:1"));
    assert_true(is_asked(world, "192.0.2.2:1"));
    struct bare_device other_wire = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&other_wire);
    world_run(world, 11 * WORLD_SECOND);
    assert_false(is_asked(world, "192.0.2.3:1"));
    world_close(world);
}

static void when_the_budget_of_challenges_is_empty(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    forge_hellos(world, 2, 0, AT_ONCE);
    assert_int_equal(world->shard->pending.unproved.count, AT_ONCE);
    assert_true(is_asked(world, "192.0.2.1:1"));
    struct bare_device other_wire = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&other_wire);
    world_run(world, 15000); /* three more, beside the two that were left */
    assert_false(is_asked(world, "192.0.2.2:1"));
    assert_true(is_asked(world, "192.0.2.3:1"));
    world_close(world);
}

/* A handshake that is completed gives back what it did not need, so two hundred devices a second need no cookie. */
static void devices_that_complete_cost_the_budget_one_each(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, "default: {psk: '" PSK "'}\n");
    for (unsigned number = 0; number < 150; number++) {
        const uint8_t id[USMP_DEVICE_ID_SIZE] = {2, 0, 0, 0, 0, (uint8_t)number};
        struct address address = forged_address(number);
        struct simulated_device *device =
            world_connect_as(world, USMP_UDP, 2, id, PSK, &address, USMP_CIPHER_AES_256_GCM);
        world_settle(world);
        assert_true(simulated_device_is_connected(device));
        assert_int_equal(device->frames_heard[USMP_HELLO_RETRY], 0);
    }
    forge_hellos(world, 2, 1000, 50 / 3);
    assert_int_equal(world->shard->pending.unproved.count, 50 / 3);
    assert_true(is_asked(world, "192.0.2.3:1"));
    world_close(world);
}

static void when_two_handshakes_that_claim_the_address_failed_within_a_minute(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        fail_from(world, wire, "192.0.2.7:1");
        fail_from(world, wire, "192.0.2.7:1"); /* of the same handshake: no further failure */
        assert_false(is_asked(world, "192.0.2.7:2"));
        world_run(world, 30 * WORLD_SECOND);
        fail_from(world, wire, "192.0.2.7:3");
        assert_true(is_asked(world, "192.0.2.7:4"));
        assert_true(is_asked(world, "[64:ff9b::192.0.2.7]:5"));
        assert_false(is_asked(world, "192.0.2.8:4"));
        world_run(world, 30 * WORLD_SECOND);
        assert_true(is_asked(world, "192.0.2.7:6"));
        world_run(world, 1);
        assert_false(is_asked(world, "192.0.2.7:7"));
        world_close(world);
    }
}

static void one_ipv6_customer_is_one_address(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    fail_from(world, 2, "[2001:db8:0:1::1]:1");
    fail_from(world, 2, "[2001:db8:0:1:ffff::2]:1");
    assert_true(is_asked(world, "[2001:db8:0:1::3]:1"));
    assert_false(is_asked(world, "[2001:db8:0:2::1]:1"));
    world_close(world);
}

/* A right HELLO_ACK is no failure of others that are pending there. */
static void a_device_that_restarts_is_no_failure(void **state)
{
    (void)state;
    for (unsigned right = 0; right < 3; right++) { /* whichever is looked at first */
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
        struct bare_device starts[3];
        for (unsigned start = 0; start < 3; start++) {
            bare_restart(&device);
            bare_hello(&device, 0, NULL);
            bare_expect_utack(&device, USMP_HELLO, 0, false);
            bare_expect_challenge(&device);
            starts[start] = device;
        }
        bare_hello_ack(&starts[right], 2);
        bare_expect_utack(&device, USMP_HELLO_ACK, 2, false);
        bare_expect_session_ok(&starts[right]);
        assert_false(is_asked(world, "192.0.2.7:1"));
        world_close(world);
    }
}

/* Forged failures lead to cookies, and to nothing else. */
static void what_is_forged_locks_nobody_out(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        for (unsigned number = 0; number < 300; number++) {
            struct address from = world_address("192.0.2.7:1");
            from.port = (uint16_t)(1 + number);
            forge_hello(world, wire, &from, number);
            world_settle(world);
            forge_hello_ack(world, wire, &from);
            world_settle(world);
            world_run(world, 100000);
        }
        assert_int_equal(admission_lockouts(world->admission, world->now.monotonic), 0);
        struct bare_device tcp = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:9000");
        bare_connect(&tcp);
        struct simulated_device *device = world_connect(world, USMP_UDP, wire, ID, PSK, "192.0.2.7:9001");
        world_run(world, 2 * WORLD_SECOND);
        assert_true(simulated_device_is_connected(device));
        assert_int_equal(device->frames_heard[USMP_HELLO_RETRY], wire == 2 ? 1 : 0);
        world_close(world);
    }
}

static void from_an_address_and_port_that_has_a_live_session(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device session = bare_device(world, USMP_UDP, wire, ID, PSK, ADDRESS);
        bare_connect(&session);
        assert_true(is_asked(world, ADDRESS));
        assert_false(is_asked(world, "192.0.2.7:50124"));
        bare_record(&session, USMP_BYE, 0, NULL, 0);
        assert_false(is_asked(world, ADDRESS));
        world_close(world);
    }
}

/* It comes back within the time of its session, from the same port. */
static void a_device_that_comes_back_to_its_session_is_asked_and_let_in(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *before = connected(world, USMP_UDP, 2);
    assert_int_equal(before->frames_heard[USMP_HELLO_RETRY], 0);
    world_vanish(before);
    struct simulated_device *after = world_connect(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    world_run(world, WORLD_SECOND);
    assert_true(simulated_device_is_connected(after));
    assert_int_equal(after->frames_heard[USMP_HELLO_RETRY], 1);
    expect_disconnected(world, 1, ID, SEAM_REPLACED);
    world_close(world);
}

/* Rather than push out a handshake that may be the genuine one. */
static void when_there_are_some_unproved_at_that_address_and_port(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    for (uint32_t key = 0; key < 100; key++)
        forge_hello(world, 2, &device.port->path.peer, key);
    world_settle(world);
    assert_int_equal(world->shard->pending.unproved.count, UNPROVED_PATH_MAX);
    bare_ignore(&device);
    bare_hello_ack(&device, 2);
    bare_expect_utack(&device, USMP_HELLO_ACK, 2, false);
    bare_expect_session_ok(&device);
    world_close(world);
}

/* The first HELLO_ACK of each handshake is checked in any case. Only those that follow have to be in the budget. */
static void wire_1_has_a_budget_of_checks(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    const uint64_t *limited = &shard_counters(world->shard)->handshakes[USMP_UDP][0][SHARD_HANDSHAKE_LIMITED];
    struct address from = world_address("192.0.2.7:1");
    for (unsigned number = 0; number < 32; number++) {
        from.port = (uint16_t)(1 + number);
        forge_hello(world, 1, &from, number);
        world_settle(world);
        forge_hello_ack(world, 1, &from);
        world_settle(world);
    }
    assert_int_equal(*limited, 0);
    forge_hello_ack(world, 1, &from);
    world_settle(world);
    assert_int_equal(*limited, 1);

    /* Whoever comes from there all the same gets in. */
    struct bare_device device = bare_device(world, USMP_UDP, 1, ID, PSK, "192.0.2.7:9000");
    bare_connect(&device);
    /* And, with a wrong one slipped in before, as soon as there is a token again. */
    struct bare_device second = bare_device(world, USMP_UDP, 1, OTHER_ID, OTHER_PSK, "192.0.2.7:9001");
    bare_hello(&second, 0, NULL);
    bare_expect_utack(&second, USMP_HELLO, 0, false);
    bare_expect_challenge(&second);
    bare_wrong_hello_ack(&second, 0);
    bare_hello_ack(&second, 0);
    bare_expect_silence(&second);
    world_run(world, 125000);
    bare_repeat(&second);
    bare_expect_utack(&second, USMP_HELLO_ACK, 0, false);
    bare_expect_session_ok(&second);
    assert_int_equal(*limited, 2);

    /* Wire 2 has cookies instead, and another address a budget of its own. */
    struct bare_device elsewhere = bare_device(world, USMP_UDP, 1, THIRD_ID, PSK, "192.0.2.8:1");
    bare_hello(&elsewhere, 0, NULL);
    bare_expect_utack(&elsewhere, USMP_HELLO, 0, false);
    bare_expect_challenge(&elsewhere);
    for (unsigned time = 0; time < 7; time++)
        bare_wrong_hello_ack(&elsewhere, 0);
    bare_hello_ack(&elsewhere, 0);
    bare_expect_utack(&elsewhere, USMP_HELLO_ACK, 0, false);
    bare_expect_session_ok(&elsewhere);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_asked_without_a_reason),
        cmocka_unit_test(when_the_unproved_table_is_half_full),
        cmocka_unit_test(when_the_budget_of_challenges_is_empty),
        cmocka_unit_test(devices_that_complete_cost_the_budget_one_each),
        cmocka_unit_test(when_two_handshakes_that_claim_the_address_failed_within_a_minute),
        cmocka_unit_test(one_ipv6_customer_is_one_address),
        cmocka_unit_test(a_device_that_restarts_is_no_failure),
        cmocka_unit_test(what_is_forged_locks_nobody_out),
        cmocka_unit_test(from_an_address_and_port_that_has_a_live_session),
        cmocka_unit_test(a_device_that_comes_back_to_its_session_is_asked_and_let_in),
        cmocka_unit_test(when_there_are_some_unproved_at_that_address_and_port),
        cmocka_unit_test(wire_1_has_a_budget_of_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
