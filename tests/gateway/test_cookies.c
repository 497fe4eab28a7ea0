/* `wire.udp_cookie: always` (docs/protocol.md section 4 "Cookie", docs/security.md rules 10 to 12). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/shard_internal.h"

#define ALWAYS "wire: {udp_cookie: always}\n"

static struct bare_device bare(struct world *world, unsigned wire)
{
    return bare_device(world, USMP_UDP, wire, ID, PSK, ADDRESS);
}

static void take_cookie(struct bare_device *device, uint8_t cookie[USMP_COOKIE_SIZE])
{
    uint8_t bytes[USMP_FRAME_MAX];
    struct usmp_frame frame;
    struct usmp_hello_retry retry;
    bare_expect_frame(device, USMP_HELLO_RETRY, bytes);
    assert_int_equal(usmp_frame_parse_datagram(bytes, USMP_HELLO_RETRY_FRAME, &frame), USMP_FRAME_COMPLETE);
    assert_int_equal(frame.seq, 0);
    assert_true(usmp_hello_retry_read(&frame, &retry));
    memcpy(cookie, retry.cookie, USMP_COOKIE_SIZE);
}

static uint64_t wrong_cookies(const struct world *world)
{
    return shard_counters(world->shard)->dropped[SHARD_DROP_COOKIE];
}

/* A device whose HELLO_RETRY was lost after the UTACK had arrived would wait for ever. */
static void first_sight_has_no_utack_and_the_repeat_has(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare(world, 2);
    uint8_t first[USMP_COOKIE_SIZE];
    uint8_t second[USMP_COOKIE_SIZE];
    bare_hello(&device, 0, NULL);
    take_cookie(&device, first);
    bare_expect_silence(&device);
    world_run(world, 500000);
    bare_repeat(&device);
    take_cookie(&device, second);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    assert_memory_equal(first, second, sizeof first);
    bare_expect_silence(&device);

    /* Three seconds later it counts as first sight again, and so it does from elsewhere or with another key. */
    world_run(world, 3 * WORLD_SECOND);
    bare_repeat(&device);
    take_cookie(&device, second);
    bare_expect_silence(&device);
    bare_restart(&device);
    bare_hello(&device, 0, NULL);
    take_cookie(&device, second);
    bare_expect_silence(&device);
    device.port->path.peer.port++;
    bare_repeat(&device);
    take_cookie(&device, second);
    bare_expect_silence(&device);
    assert_int_equal(world->shard->pending.by_path.count, 0); /* no state is kept */
    world_close(world);
}

static void a_right_one_begins_the_handshake(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare(world, 2);
    uint8_t cookie[USMP_COOKIE_SIZE];
    bare_hello(&device, 0, NULL);
    take_cookie(&device, cookie);
    bare_hello(&device, 1, cookie);
    bare_expect_utack(&device, USMP_HELLO, 1, false);
    bare_expect_challenge(&device);
    assert_int_equal(world->shard->pending.proved_count, 1);
    bare_hello_ack(&device, 2);
    bare_expect_utack(&device, USMP_HELLO_ACK, 2, false);
    bare_expect_session_ok(&device);
    expect_connected(world, 0, ID);
    assert_int_equal(world->shard->pending.proved_count, 0);
    world_close(world);
}

static void devices_find_their_way(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    simulated_device_send(device, "through", 7);
    world_settle(world);
    expect_text(world, 1, ID, "through");
    assert_int_equal(device->frames_heard[USMP_HELLO_RETRY], 1);
    world_close(world);
}

/* It is dropped in silence, and is nobody's failure. */
static void a_wrong_one_is_dropped(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare(world, 2);
    uint8_t cookie[USMP_COOKIE_SIZE];
    bare_hello(&device, 0, NULL);
    take_cookie(&device, cookie);
    for (unsigned bit = 0; bit < 8 * USMP_COOKIE_SIZE; bit++) {
        cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
        bare_hello(&device, 1, cookie);
        bare_expect_silence(&device);
        cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(wrong_cookies(world), 8 * USMP_COOKIE_SIZE);
    assert_int_equal(admission_lockouts(world->admission, world->now.monotonic), 0);
    assert_int_equal(world->log_count, 0);
    bare_hello(&device, 1, cookie);
    bare_expect_utack(&device, USMP_HELLO, 1, false);
    bare_expect_challenge(&device);
    world_close(world);
}

/* Good for the slot of 30 s it was made in and the next one. */
static void an_old_one_is_dropped(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare(world, 2);
    uint8_t cookie[USMP_COOKIE_SIZE];
    uint64_t into_slot = world->now.monotonic % USMP_COOKIE_SLOT;
    world_run(world, USMP_COOKIE_SLOT - into_slot);
    bare_hello(&device, 0, NULL);
    take_cookie(&device, cookie);
    world_run(world, 2 * USMP_COOKIE_SLOT);
    bare_hello(&device, 1, cookie);
    bare_expect_silence(&device);
    assert_int_equal(wrong_cookies(world), 1);

    bare_hello(&device, 0, NULL);
    take_cookie(&device, cookie);
    world_run(world, 2 * USMP_COOKIE_SLOT - 1);
    bare_hello(&device, 1, cookie);
    bare_expect_utack(&device, USMP_HELLO, 1, false);
    bare_expect_challenge(&device);
    world_close(world);
}

/* Bound to all that the HELLO claims. */
static void one_for_somebody_else_is_dropped(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare(world, 2);
    uint8_t cookie[USMP_COOKIE_SIZE];
    bare_hello(&device, 0, NULL);
    take_cookie(&device, cookie);

    struct shard_path path = device.port->path;
    device.port->path.peer.port++;
    bare_hello(&device, 1, cookie);
    device.port->path = path;
    device.port->path.peer.bytes[15]++;
    bare_hello(&device, 1, cookie);
    device.port->path = path;
    device.port->path.local.bytes[15]++;
    bare_hello(&device, 1, cookie);
    device.port->path = path;
    device.id[5]++;
    bare_hello(&device, 1, cookie);
    device.id[5]--;
    device.public_key[0]++;
    bare_hello(&device, 1, cookie);
    device.public_key[0]--;
    assert_int_equal(wrong_cookies(world), 5);
    bare_expect_silence(&device);

    bare_hello(&device, 1, cookie);
    bare_expect_utack(&device, USMP_HELLO, 1, false);
    bare_expect_challenge(&device);
    world_close(world);
}

/* One that nobody asked for is as good as one that was. */
static void one_that_was_not_asked_for_proves_the_address(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare(world, 2);
    uint8_t cookie[USMP_COOKIE_SIZE];
    bare_hello(&device, 0, NULL);
    take_cookie(&device, cookie);
    world_reload(world, NULL, DEVICES);
    bare_hello(&device, 1, cookie);
    bare_expect_utack(&device, USMP_HELLO, 1, false);
    bare_expect_challenge(&device);
    assert_int_equal(world->shard->pending.proved_count, 1);
    world_close(world);
}

static void wire_1_has_none(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare(world, 1);
    bare_connect(&device);
    expect_connected(world, 0, ID);
    world_close(world);
}

/* An unproved address gets less than it sent: 28 and 7 bytes for 50 (docs/security.md rule 11). */
static void it_is_no_amplifier(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare(world, 2);
    bare_hello(&device, 0, NULL);
    for (unsigned copy = 0; copy < 9; copy++)
        bare_repeat(&device);
    world_run(world, 30 * WORLD_SECOND);
    assert_int_equal(world->bytes_sent, 10 * USMP_HELLO_RETRY_FRAME + 9 * USMP_UTACK_PLAIN_SIZE);
    assert_true(world->bytes_sent * 10 <= 10 * USMP_HELLO_FRAME * 7);
    world_close(world);
}

/* Without a cookie it is a CHALLENGE for each HELLO and two repeats: 4.7 times at worst. */
static void without_one_it_is_a_small_amplifier(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, 2);
    bare_hello(&device, 0, NULL);
    world_run(world, 30 * WORLD_SECOND);
    assert_int_equal(world->bytes_sent, 3 * USMP_CHALLENGE_FRAME + USMP_UTACK_PLAIN_SIZE);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_sight_has_no_utack_and_the_repeat_has),
        cmocka_unit_test(a_right_one_begins_the_handshake),
        cmocka_unit_test(devices_find_their_way),
        cmocka_unit_test(a_wrong_one_is_dropped),
        cmocka_unit_test(an_old_one_is_dropped),
        cmocka_unit_test(one_for_somebody_else_is_dropped),
        cmocka_unit_test(one_that_was_not_asked_for_proves_the_address),
        cmocka_unit_test(wire_1_has_none),
        cmocka_unit_test(it_is_no_amplifier),
        cmocka_unit_test(without_one_it_is_a_small_amplifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
