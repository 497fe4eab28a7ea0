/* Sessions before strangers: handshakes wait until the sessions have had their turn, and get a bounded share of each
 * (docs/design/sessions-first.md). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/shard_internal.h"

/* What one step may take beyond the share: that it would, is known when it is done. */
#define LARGEST_STEP (STRANGER_COST_FRAME + STRANGER_COST_CHECK + STRANGER_COST_SESSION)

static uint64_t dropped(const struct world *world, enum shard_drop reason)
{
    return shard_counters(world->shard)->dropped[reason];
}

static void arrives(struct world *world, const struct address *from, const uint8_t *bytes, size_t size)
{
    struct shard_path path = {.peer = *from, .local = world->gateway};
    world_enter(world);
    shard_datagram(world->shard, &path, bytes, size, world->now);
    world_leave(world);
}

static bool turn(struct world *world)
{
    world_enter(world);
    bool more = shard_strangers(world->shard, world->now);
    world_leave(world);
    assert_in_range(world->shard->strangers.spent, 0, STRANGERS_SHARE + LARGEST_STEP - 1);
    return more;
}

static size_t forge_hello(struct world *world, unsigned wire, uint8_t frame[USMP_HELLO_COOKIE_FRAME])
{
    struct usmp_hello hello = {.has_cookie = false};
    random_fill(&world->numbers, hello.device_id, sizeof hello.device_id);
    random_fill(&world->numbers, hello.public_key, sizeof hello.public_key);
    return usmp_hello_write((uint8_t)wire, 0, &hello, frame);
}

/* HELLOs from as many addresses, in one turn. */
static void flood(struct world *world, size_t count)
{
    uint8_t frame[USMP_HELLO_COOKIE_FRAME];
    struct address from = world_address("10.0.0.0:4000");
    for (size_t number = 0; number < count; number++) {
        from.bytes[13] = (uint8_t)(number >> 16);
        from.bytes[14] = (uint8_t)(number >> 8);
        from.bytes[15] = (uint8_t)number;
        arrives(world, &from, frame, forge_hello(world, 2, frame));
    }
}

static void a_session_is_answered_in_the_turn_of_a_flood(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    uint8_t frame[USMP_FRAME_MAX];
    const struct usmp_record_context context = {device.keys.device_to_gateway, device.session_ok.session_id,
                                                USMP_AES_256_GCM};
    size_t size = usmp_record_seal(&context, USMP_WIRE_2, USMP_DATA, 0, (const uint8_t *)"in time", 7, frame);

    uint64_t sent = world->datagrams_sent;
    flood(world, 1000);
    assert_int_equal(world->datagrams_sent, sent);
    arrives(world, &device.port->path.peer, frame, size);
    assert_int_equal(world->datagrams_sent, sent + 1);
    world_settle(world);
    expect_text(world, 1, ID, "in time");
    bare_expect_utack(&device, USMP_DATA, 0, true);
    world_close(world);
}

/* Each HELLO costs the same here, and has so many answers. */
static void work_off(const char *config, unsigned cost, unsigned answers)
{
    struct world *world = world_open(config, DEVICES);
    unsigned hellos_a_turn = STRANGERS_SHARE / cost + 1;
    unsigned hellos = 10 * hellos_a_turn;
    flood(world, hellos);
    for (unsigned turns = 1; turns <= 10; turns++) {
        uint64_t before = world->datagrams_sent;
        assert_int_equal(turn(world), turns < 10);
        assert_int_equal(world->datagrams_sent - before, hellos_a_turn * answers);
        assert_int_equal(world->shard->strangers.first_words.count, hellos - turns * hellos_a_turn);
    }
    assert_false(turn(world));
    assert_int_equal(world->shard->strangers.spent, 0);
    world_close(world);
}

static void a_turn_does_no_more_than_its_share(void **state)
{
    (void)state;
    work_off(NULL, STRANGER_COST_FRAME + STRANGER_COST_CHALLENGE, 2);
    work_off("wire: {udp_cookie: always}\n", STRANGER_COST_FRAME + STRANGER_COST_RETRY, 1);
}

/* Whoever has a CHALLENGE, or a cookie, is not held up by first words. */
static void whoever_is_further_is_not_held_up_by_first_words(void **state)
{
    (void)state;
    struct world *world = world_open("wire: {udp_cookie: always}\n", DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    uint8_t retry[USMP_HELLO_RETRY_FRAME];
    uint8_t frame[USMP_HELLO_COOKIE_FRAME];
    struct usmp_hello hello = {.has_cookie = true};
    bare_hello(&device, 0, NULL);
    bare_expect_frame(&device, USMP_HELLO_RETRY, retry);
    memcpy(hello.device_id, device.id, sizeof hello.device_id);
    memcpy(hello.public_key, device.public_key, sizeof hello.public_key);
    memcpy(hello.cookie, retry + USMP_HEADER_SIZE, sizeof hello.cookie);

    flood(world, STRANGER_QUEUE_PLACES);
    arrives(world, &device.port->path.peer, frame, usmp_hello_write(2, 1, &hello, frame));
    assert_true(turn(world));
    assert_true(world->shard->strangers.first_words.count > STRANGER_QUEUE_PLACES - 2 * STRANGERS_SHARE);
    assert_int_equal(world->shard->strangers.answers.count, 0);
    assert_int_equal(world->shard->half_done.count, 1);
    world_close(world);
}

static void more_wait_than_there_is_room_for(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    flood(world, STRANGER_QUEUE_PLACES + 100);
    assert_int_equal(dropped(world, SHARD_DROP_CROWDED), 100);
    assert_int_equal(world->shard->strangers.first_words.count, STRANGER_QUEUE_PLACES);
    world_close(world);
}

/* Nobody could be waiting for these, so nobody has to wait behind them. */
static void a_hello_ack_to_no_handshake_does_not_wait(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct usmp_hello_ack hello_ack = {.hmac = {1}};
    uint8_t frame[USMP_HELLO_ACK_FRAME];
    struct address from = world_address(ADDRESS);
    size_t size = usmp_hello_ack_write(2, 2, &hello_ack, frame);
    arrives(world, &from, frame, size);
    assert_int_equal(dropped(world, SHARD_DROP_UNKNOWN), 1);
    assert_int_equal(world->shard->strangers.answers.count, 0);

    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_hello(&device, 0, NULL);
    arrives(world, &from, frame, size);
    assert_int_equal(world->shard->strangers.answers.count, 1);
    world_close(world);
}

/* Over TCP the same share: who does not fit into it is not read until there is a new one, and nothing is lost. */
static void a_stream_waits_for_its_turn(void **state)
{
    (void)state;
    enum { STREAMS = 40 };
    struct world *world = world_open("limits: {handshakes_per_ip: 0, trusted: [192.0.2.7/32]}\n", DEVICES);
    struct simulated_device *streams[STREAMS];
    unsigned paused = 0;
    for (unsigned number = 0; number < STREAMS; number++) {
        uint8_t frame[USMP_HELLO_COOKIE_FRAME];
        size_t consumed = 0;
        struct simulated_device *device = streams[number] = world_connect_bare(world, USMP_TCP, ADDRESS);
        size_t size = forge_hello(world, 1 + number % 2, frame);
        enum shard_reading reading =
            shard_stream_bytes(world->shard, device->stream, frame, size, &consumed, world->now);
        device->paused = reading == SHARD_READ_PAUSED;
        paused += device->paused ? 1 : 0;
        assert_int_equal(consumed, device->paused ? 0 : size);
        assert_int_equal(device->incoming.size, device->paused ? 0 : USMP_CHALLENGE_FRAME);
        byte_buffer_append(&device->kept, frame, size - consumed);
    }
    unsigned fit = (STRANGERS_SHARE + STRANGER_COST_FRAME + STRANGER_COST_CHALLENGE - 1) /
                   (STRANGER_COST_FRAME + STRANGER_COST_CHALLENGE);
    assert_int_equal(paused, STREAMS - fit);
    assert_true(turn(world));
    for (unsigned number = 0; number < STREAMS; number++)
        assert_int_equal(streams[number]->resumed, number >= fit && number < 2 * fit);
    world_settle(world);
    for (unsigned number = 0; number < STREAMS; number++) {
        assert_int_equal(streams[number]->incoming.size, USMP_CHALLENGE_FRAME);
        assert_int_equal(streams[number]->kept.size, 0);
    }
    assert_int_equal(world->shard->half_done.count, STREAMS);
    world_close(world);
}

/* The peer is gone, or its time is up, while it waits. */
static void a_stream_may_end_while_it_waits(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 3; way++) {
        struct world *world = world_open(NULL, DEVICES);
        struct simulated_device *device = world_connect_bare(world, USMP_TCP, ADDRESS);
        uint8_t frame[USMP_HELLO_COOKIE_FRAME];
        size_t consumed = 0;
        world->shard->strangers.spent = STRANGERS_SHARE;
        assert_int_equal(shard_stream_bytes(world->shard, device->stream, frame, forge_hello(world, 2, frame),
                                            &consumed, world->now),
                         SHARD_READ_PAUSED);
        device->paused = true;
        if (way == 0)
            world_lose_stream(device);
        else if (way == 1)
            shard_drain(world->shard, world->now);
        else
            world->now.monotonic += STREAM_SILENT_TIMEOUT;
        world_enter(world);
        shard_advance(world->shard, world->now);
        world_leave(world);
        assert_null(device->stream);
        assert_false(turn(world));
        assert_null(world->shard->streams.waiting.first);
        world_close(world);
    }
}

/* "Newest wins" goes by when a HELLO came, not by when it was looked at (docs/security.md rule 17). */
static void the_newest_is_the_one_that_came_last(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device waiting = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    struct bare_device newest = bare_device(world, USMP_TCP, 2, ID, PSK, OTHER_ADDRESS);
    struct usmp_hello hello = {.has_cookie = false};
    uint8_t frame[USMP_HELLO_COOKIE_FRAME];
    memcpy(hello.device_id, waiting.id, sizeof hello.device_id);
    memcpy(hello.public_key, waiting.public_key, sizeof hello.public_key);
    arrives(world, &waiting.port->path.peer, frame, usmp_hello_write(2, 0, &hello, frame));

    world->now.monotonic += 1000;
    memcpy(hello.public_key, newest.public_key, sizeof hello.public_key);
    size_t consumed = 0;
    size_t size = usmp_hello_write(2, 0, &hello, frame);
    assert_int_equal(shard_stream_bytes(world->shard, newest.port->stream, frame, size, &consumed, world->now),
                     SHARD_READ_ON);
    world->now.monotonic += 1000;
    assert_false(turn(world));
    world_settle(world);
    bare_expect_utack(&waiting, USMP_HELLO, 0, false);
    bare_expect_challenge(&waiting);
    bare_expect_challenge(&newest);

    bare_hello_ack(&waiting, 0);
    bare_expect_utack(&waiting, USMP_HELLO_ACK, 0, false);
    bare_expect_session_ok(&waiting);
    assert_false(newest.port->stream_closed); /* it is the younger one, so it goes on */
    bare_hello_ack(&newest, 0);
    bare_expect_session_ok(&newest);
    expect_events(world, 3);
    expect_disconnected(world, 1, ID, SEAM_REPLACED);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_answered_in_the_turn_of_a_flood),
        cmocka_unit_test(a_turn_does_no_more_than_its_share),
        cmocka_unit_test(whoever_is_further_is_not_held_up_by_first_words),
        cmocka_unit_test(more_wait_than_there_is_room_for),
        cmocka_unit_test(a_hello_ack_to_no_handshake_does_not_wait),
        cmocka_unit_test(a_stream_waits_for_its_turn),
        cmocka_unit_test(a_stream_may_end_while_it_waits),
        cmocka_unit_test(the_newest_is_the_one_that_came_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
