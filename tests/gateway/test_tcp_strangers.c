/* Connections that are no session yet: how many, how long, and who goes (docs/security.md rule 9,
 * docs/design/tcp-strangers.md). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <stdio.h>

#include "gateway/shard_internal.h"

static struct bare_device bare(struct world *world, unsigned wire)
{
    return bare_device(world, USMP_TCP, wire, ID, PSK, ADDRESS);
}

static void says_nothing_for_three_seconds(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device silent = bare(world, 2);
    struct bare_device slow = bare(world, 2);
    uint8_t hello[USMP_HELLO_FRAME] = {USMP_MAGIC_0, USMP_MAGIC_1, 2, USMP_HELLO};
    for (unsigned second = 0; second < 2; second++) {
        bare_send(&slow, hello + second, 1);
        world_run(world, WORLD_SECOND);
    }
    world_run(world, 999999);
    assert_false(silent.port->stream_closed);
    world_run(world, 1);
    bare_expect_closed(&silent);
    bare_expect_closed(&slow); /* a byte now and then is no reason to wait longer */
    assert_int_equal(world->log_count, 0);
    expect_nothing_left(world);
    world_close(world);
}

static void says_nothing_for_the_handshakes_timeout(void **state)
{
    (void)state;
    struct world *world = world_open("handshake_timeout: 1s\n", DEVICES);
    struct bare_device silent = bare(world, 2);
    world_run(world, 1000000);
    bare_expect_closed(&silent);
    world_close(world);
}

static void says_nothing_after_its_hello(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, 2);
    bare_hello(&device, 0, NULL);
    bare_expect_challenge(&device);
    world_run(world, 9999999);
    assert_false(device.port->stream_closed);
    world_run(world, 1);
    bare_expect_closed(&device);
    assert_int_equal(shard_counters(world->shard)->handshakes[USMP_TCP][1][SHARD_HANDSHAKE_TIMEOUT], 1);
    expect_nothing_left(world);
    world_close(world);
}

static size_t count_open(const struct world *world)
{
    size_t count = 0;
    for (const struct simulated_device *device = world->devices; device != NULL; device = device->next)
        count += device->stream != NULL ? 1 : 0;
    return count;
}

static struct simulated_device *silent_one(struct world *world, unsigned network, unsigned host, unsigned port)
{
    char address[64];
    snprintf(address, sizeof address, "[2001:db8:%x:%x::1]:%u", network, host, port);
    return world_connect_bare(world, USMP_TCP, address);
}

/* Rule 9. Nobody can open so many connections that a device finds no place, and those that it needs for a session are
 * no silent ones. */
static void more_silent_ones_than_there_is_room_for(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {handshakes_per_ip: 0}\n", DEVICES);
    struct bare_device speaker = bare(world, 2);
    bare_hello(&speaker, 0, NULL);
    bare_expect_challenge(&speaker);
    for (unsigned number = 0; number < 4 * SILENT_STREAMS_MAX; number++)
        silent_one(world, number, 0, 1);
    size_t silent = world->shard->streams.silent.count;
    assert_in_range(silent, SILENT_STREAMS_HALF + 1, SILENT_STREAMS_MAX);
    assert_int_equal(count_open(world), silent + 1);
    assert_false(speaker.port->stream_closed);
    bare_hello_ack(&speaker, 0);
    bare_expect_session_ok(&speaker);
    world_run(world, 4 * WORLD_SECOND);
    assert_int_equal(world->shard->streams.silent.count, 0);
    assert_int_equal(count_open(world), 1);
    world_close(world);
}

/* The same for what one address, and one network of an IPv6 customer, can take away from others. */
static void one_network_keeps_to_its_share(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    for (unsigned number = 0; number < 3 * SILENT_STREAMS_HOST_MAX; number++)
        silent_one(world, 1, 1, number);
    assert_int_equal(world->shard->streams.silent.count, SILENT_STREAMS_HOST_MAX);
    for (unsigned number = 0; number < 3 * SILENT_STREAMS_SITE_MAX; number++)
        silent_one(world, 1, number + 2, 1);
    assert_int_equal(world->shard->streams.silent.count, SILENT_STREAMS_SITE_MAX);
    for (unsigned number = 0; number < SILENT_STREAMS_HOST_MAX; number++)
        assert_false(world_connect_bare(world, USMP_TCP, ADDRESS)->stream_closed);
    assert_int_equal(world->shard->streams.silent.count, SILENT_STREAMS_SITE_MAX + SILENT_STREAMS_HOST_MAX);
    /* What it has too many of, it loses itself: a newcomer of its own is let in. */
    struct simulated_device *newcomer = world_connect_bare(world, USMP_TCP, ADDRESS);
    assert_false(newcomer->stream_closed);
    assert_int_equal(world->shard->streams.silent.count, SILENT_STREAMS_SITE_MAX + SILENT_STREAMS_HOST_MAX);
    world_close(world);
}

static void a_trusted_network_has_no_share(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {trusted: ['2001:db8::/32']}\n", DEVICES);
    for (unsigned number = 0; number < SILENT_STREAMS_HALF; number++)
        silent_one(world, 1, 1, number);
    assert_int_equal(world->shard->streams.silent.count, SILENT_STREAMS_HALF);
    world_close(world);
}

/* All places for handshakes in progress are held by those who never go on with theirs. */
static void a_handshake_that_does_not_go_on_gives_way(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {handshakes: 2}\nwire: {udp_cookie: always}\n", DEVICES);
    struct bare_device first = bare_device(world, USMP_TCP, 2, OTHER_ID, PSK, "203.0.113.1:1");
    struct bare_device second = bare_device(world, USMP_TCP, 2, OTHER_ID, PSK, "203.0.113.2:1");
    bare_hello(&first, 0, NULL);
    world_run(world, WORLD_SECOND);
    bare_hello(&second, 0, NULL);
    world_run(world, 2 * WORLD_SECOND - 1);
    struct bare_device early = bare(world, 2);
    bare_hello(&early, 0, NULL);
    bare_expect_closed(&early);
    assert_false(first.port->stream_closed);
    world_run(world, 1);
    struct bare_device device = bare(world, 2);
    bare_connect(&device);
    assert_true(first.port->stream_closed);
    assert_false(second.port->stream_closed);
    assert_int_equal(shard_counters(world->shard)->handshakes[USMP_TCP][1][SHARD_HANDSHAKE_TIMEOUT], 1);
    world_close(world);
}

/* Over UDP it is the same list: here the older ones have shown a cookie. */
static void a_handshake_over_udp_gives_way_too(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {handshakes: 1}\nwire: {udp_cookie: always}\n", DEVICES);
    struct bare_device slow = bare_device(world, USMP_UDP, 2, OTHER_ID, PSK, "203.0.113.1:1");
    bare_hello(&slow, 0, NULL);
    uint8_t retry[USMP_HELLO_RETRY_FRAME];
    bare_expect_frame(&slow, USMP_HELLO_RETRY, retry);
    bare_hello(&slow, 1, retry + USMP_HEADER_SIZE);
    bare_expect_utack(&slow, USMP_HELLO, 1, false);
    bare_expect_challenge(&slow);
    assert_int_equal(world->shard->half_done.count, 1);
    world_run(world, 3 * WORLD_SECOND);
    struct bare_device device = bare(world, 2);
    bare_connect(&device);
    assert_int_equal(shard_counters(world->shard)->handshakes[USMP_UDP][1][SHARD_HANDSHAKE_TIMEOUT], 1);
    assert_int_equal(world->shard->half_done.count, 0);
    world_close(world);
}

/* Or one address could end everybody's, with HELLOs that get it nothing. */
static void who_has_his_share_ends_nobody(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {handshakes: 4, handshakes_per_ip: 3}\n", DEVICES);
    struct bare_device oldest = bare(world, 2);
    bare_hello(&oldest, 0, NULL);
    bare_expect_challenge(&oldest);
    world_run(world, HALF_DONE_PATIENCE);
    for (unsigned number = 0; number < 4; number++) {
        struct bare_device greedy = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
        bare_hello(&greedy, 0, NULL);
        if (number < 3) {
            bare_expect_challenge(&greedy);
        } else {
            bare_expect_closed(&greedy);
        }
    }
    assert_false(oldest.port->stream_closed);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_nothing_for_three_seconds),
        cmocka_unit_test(says_nothing_for_the_handshakes_timeout),
        cmocka_unit_test(says_nothing_after_its_hello),
        cmocka_unit_test(more_silent_ones_than_there_is_room_for),
        cmocka_unit_test(one_network_keeps_to_its_share),
        cmocka_unit_test(a_trusted_network_has_no_share),
        cmocka_unit_test(a_handshake_that_does_not_go_on_gives_way),
        cmocka_unit_test(a_handshake_over_udp_gives_way_too),
        cmocka_unit_test(who_has_his_share_ends_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
