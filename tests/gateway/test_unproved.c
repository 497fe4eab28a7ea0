/* Handshakes whose address may be forged have a table of their own (docs/security.md rule 9). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"
#include "gateway/forgery.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/shard_internal.h"

#define CROWD (UNPROVED_MAX / 2)

static size_t unproved(const struct world *world)
{
    return world->shard->pending.unproved.count;
}

static bool is_pending(const struct world *world, uint32_t number)
{
    struct shard_path path = {.peer = forged_address(number), .local = world->gateway};
    return pending_first(world->shard, &path) != NULL;
}

/* Neither memory nor anybody else's place can be taken by forgery. */
static void a_flood_has_a_bound(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    forge_hellos(world, 1, 0, UNPROVED_MAX + 100);
    assert_int_equal(unproved(world), UNPROVED_MAX);
    assert_int_equal(world->shard->pending.by_path.count, UNPROVED_MAX);
    assert_int_equal(world->shard->pending.by_device.count, UNPROVED_MAX);
    struct bare_device genuine = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&genuine);
    struct bare_device tcp = bare_device(world, USMP_TCP, 2, THIRD_ID, PSK, "192.0.2.3:1");
    bare_connect(&tcp);
    expect_events(world, 2);
    bare_record(&genuine, USMP_BYE, 0, NULL, 0);
    world_lose_stream(tcp.port);
    expect_nothing_left(world);
    world_close(world);
}

/* Who floods cannot choose whom he pushes out: of those that were there first some stay. */
static void a_full_table_gives_up_at_random(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    forge_hellos(world, 1, 0, UNPROVED_MAX);
    forge_hellos(world, 1, UNPROVED_MAX, UNPROVED_MAX / 4);
    unsigned early = 0;
    for (uint32_t number = 0; number < 1000; number++)
        early += is_pending(world, number) ? 1 : 0;
    assert_in_range(early, 700, 860); /* 1000 times (1 - 1/n)^(n/4) is 779, with a deviation of 13 */
    world_close(world);
}

static void whoever_has_shown_a_cookie_stays(void **state)
{
    (void)state;
    struct world *world = world_open("wire: {udp_cookie: always}\n", DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_hello(&device, 0, NULL);
    bare_show_cookie(&device);
    bare_expect_utack(&device, USMP_HELLO, 1, false);
    bare_expect_challenge(&device);
    for (uint32_t key = 0; key < 3 * UNPROVED_PATH_MAX; key++)
        forge_hello(world, 1, &device.port->path.peer, key);
    forge_hellos(world, 1, 0, UNPROVED_MAX + 100);
    assert_int_equal(unproved(world), UNPROVED_MAX);
    assert_int_equal(world->shard->pending.proved_count, 1);
    bare_ignore(&device);
    bare_hello_ack(&device, 2);
    bare_expect_utack(&device, USMP_HELLO_ACK, 2, false);
    bare_expect_session_ok(&device);
    world_close(world);
}

static void they_last_as_long_as_others_while_there_is_room(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    forge_hellos(world, 1, 0, CROWD);
    world_run(world, 10 * WORLD_SECOND - 1);
    assert_int_equal(unproved(world), CROWD);
    world_run(world, 1);
    assert_int_equal(unproved(world), 0);
    assert_int_equal(shard_counters(world->shard)->handshakes[USMP_UDP][0][SHARD_HANDSHAKE_TIMEOUT], CROWD);
    world_close(world);
}

/* As many go as make it half full, those whose last HELLO is the oldest. */
static void in_a_crowd_they_last_three_seconds_from_the_last_hello(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    forge_hellos(world, 1, 0, CROWD);
    world_run(world, 2 * WORLD_SECOND);
    struct address again = forged_address(7);
    forge_hello(world, 1, &again, 7);
    forge_hellos(world, 1, CROWD, 100);
    world_run(world, WORLD_SECOND - 1);
    assert_int_equal(unproved(world), CROWD + 100);
    world_run(world, 1);
    assert_int_equal(unproved(world), CROWD);
    for (uint32_t number = 0; number < 102; number++)
        assert_int_equal(is_pending(world, number), number == 7 || number == 101);
    /* One more comes, and the next one goes at once. */
    forge_hellos(world, 1, CROWD + 100, 1);
    world_run(world, 0);
    assert_int_equal(unproved(world), CROWD);
    assert_false(is_pending(world, 101));
    /* Those that have had no HELLO for three seconds are not enough: the others stay as long as they may. */
    forge_hellos(world, 1, CROWD + 101, CROWD);
    world_run(world, 0);
    assert_int_equal(unproved(world), CROWD + 102);
    assert_false(is_pending(world, CROWD - 1));
    assert_true(is_pending(world, 7));
    world_run(world, 2 * WORLD_SECOND);
    assert_int_equal(unproved(world), CROWD + 1);
    assert_false(is_pending(world, 7));
    expect_nothing_left(world);
    world_close(world);
}

/* The shorter time is not kept longer than the longer one. */
static void a_short_timeout_is_for_all(void **state)
{
    (void)state;
    struct world *world = world_open("handshake_timeout: 1s\n", DEVICES);
    forge_hellos(world, 1, 0, CROWD + 100);
    world_run(world, WORLD_SECOND);
    assert_int_equal(unproved(world), 0);
    world_close(world);
}

/* Of one address and port a few are kept. One more pushes out one of them at random: a forger who knows a device's port
 * has to be lucky. */
static void of_one_address_and_port_there_are_few(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    unsigned gone[UNPROVED_PATH_MAX] = {0};
    for (unsigned round = 0; round < 64; round++) {
        struct address from = forged_address(round);
        for (uint32_t key = 0; key <= UNPROVED_PATH_MAX; key++)
            forge_hello(world, 1, &from, key);
        world_settle(world);
        assert_int_equal(unproved(world), (round + 1) * UNPROVED_PATH_MAX);
        bool there[UNPROVED_PATH_MAX + 1] = {false};
        struct shard_path path = {.peer = from, .local = world->gateway};
        for (struct pending *pending = pending_first(world->shard, &path); pending != NULL;
             pending = pending_next(world->shard, pending))
            there[pending->handshake.device_public[0]] = true;
        assert_true(there[UNPROVED_PATH_MAX]);
        for (unsigned key = 0; key < UNPROVED_PATH_MAX; key++)
            gone[key] += there[key] ? 0 : 1;
    }
    for (unsigned key = 0; key < UNPROVED_PATH_MAX; key++)
        assert_in_range(gone[key], 1, 40);
    world_close(world);
}

/* A HELLO that was late made an unproved handshake of a device that has its cookie meanwhile. */
static void a_cookie_proves_a_handshake_that_is_pending(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    assert_true(admission_take_challenges(world->admission, 200, 0, world->now.monotonic));
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_hello(&device, 0, NULL);
    uint8_t bytes[USMP_FRAME_MAX];
    struct usmp_frame frame;
    struct usmp_hello_retry retry;
    bare_expect_frame(&device, USMP_HELLO_RETRY, bytes);
    assert_int_equal(usmp_frame_parse_datagram(bytes, USMP_HELLO_RETRY_FRAME, &frame), USMP_FRAME_COMPLETE);
    assert_true(usmp_hello_retry_read(&frame, &retry));
    world_run(world, WORLD_SECOND);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    struct usmp_challenge challenge = device.challenge;
    bare_wrong_hello_ack(&device, 2); /* by somebody else */
    assert_int_equal(unproved(world), 1);

    /* Without a place among the proved it goes on as it was. */
    struct admission_limits none = {.sessions = 1};
    assert_true(admission_configure(world->admission, &none));
    bare_hello(&device, 1, retry.cookie);
    bare_expect_utack(&device, USMP_HELLO, 1, false);
    bare_expect_challenge(&device);
    assert_int_equal(unproved(world), 1);

    struct admission_limits plenty = {.sessions = 1, .handshakes = 1, .lockout_after = 1, .lockout = WORLD_SECOND};
    assert_true(admission_configure(world->admission, &plenty));
    bare_hello(&device, 1, retry.cookie);
    bare_expect_utack(&device, USMP_HELLO, 1, false);
    bare_expect_challenge(&device);
    assert_memory_equal(&device.challenge, &challenge, sizeof challenge);
    assert_int_equal(unproved(world), 0);
    assert_int_equal(world->shard->pending.proved_count, 1);
    bare_ignore(&device);

    /* What was wrong before is not held against it. */
    world_run(world, 10 * WORLD_SECOND);
    assert_int_equal(world->shard->pending.proved_count, 0);
    assert_int_equal(admission_lockouts(world->admission, world->now.monotonic), 0);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_has_a_bound),
        cmocka_unit_test(a_full_table_gives_up_at_random),
        cmocka_unit_test(whoever_has_shown_a_cookie_stays),
        cmocka_unit_test(they_last_as_long_as_others_while_there_is_room),
        cmocka_unit_test(in_a_crowd_they_last_three_seconds_from_the_last_hello),
        cmocka_unit_test(a_short_timeout_is_for_all),
        cmocka_unit_test(of_one_address_and_port_there_are_few),
        cmocka_unit_test(a_cookie_proves_a_handshake_that_is_pending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
