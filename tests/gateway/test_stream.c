/* TCP connections: how bytes become frames, and what ends them (docs/protocol.md sections 1 to 3). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include <usmp/handshake_hmac.h>

#include "gateway/shard_internal.h"

static struct bare_device bare(struct world *world, unsigned wire)
{
    return bare_device(world, USMP_TCP, wire, ID, PSK, ADDRESS);
}

static size_t one_byte(struct world *world, size_t available)
{
    (void)world;
    return available > 0 ? 1 : 0;
}

static void comes_byte_by_byte(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        world->cut = one_byte;
        struct simulated_device *device = connected(world, USMP_TCP, wire);
        uint8_t bytes[USMP_MESSAGE_MAX];
        memset(bytes, 'b', sizeof bytes);
        simulated_device_send(device, "small", 5);
        simulated_device_send(device, bytes, sizeof bytes);
        simulated_device_send(device, "", 0);
        simulated_device_close(device);
        world_settle(world);
        expect_events(world, 5);
        expect_text(world, 1, ID, "small");
        expect_message(world, 2, ID, bytes, sizeof bytes);
        expect_message(world, 3, ID, NULL, 0);
        expect_disconnected(world, 4, ID, SEAM_BYE);
        world_close(world);
    }
}

/* One read ends anywhere in what was sent, the next has all the rest. */
static size_t first_read;

static size_t in_two(struct world *world, size_t available)
{
    (void)world;
    size_t size = first_read < available ? first_read : available;
    first_read -= size < first_read ? size : first_read;
    return size > 0 ? size : available;
}

static void comes_in_two_parts(void **state)
{
    (void)state;
    for (size_t split = 1; split <= USMP_HELLO_ACK_FRAME + 3 * (USMP_CONTROL_FRAME + 2); split++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare(world, 2);
        bare_hello(&device, 0, NULL);
        bare_expect_challenge(&device);
        world->cut = in_two;
        first_read = split;
        bare_hello_ack(&device, 0);
        bare_expect_session_ok(&device);
        first_read = split;
        for (uint32_t seq = 0; seq < 3; seq++)
            bare_record(&device, USMP_DATA, seq, "xy", 2);
        expect_events(world, 4);
        world_close(world);
    }
}

/* In the segment right behind HELLO_ACK: the keys are there before SESSION_OK leaves. */
static void data_comes_right_behind_hello_ack(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare(world, wire);
        bare_hello(&device, 0, NULL);
        bare_expect_challenge(&device);
        /* The session id is known to the test only: the gateway drew it with the nonce. */
        struct shard_stream *stream = device.port->stream;
        memcpy(device.session_ok.session_id, stream->handshake->secrets.session_id,
               sizeof device.session_ok.session_id);
        struct usmp_transcript transcript = {.version = (uint8_t)wire};
        memcpy(transcript.nonce, device.challenge.nonce, sizeof transcript.nonce);
        memcpy(transcript.device_public, device.public_key, sizeof transcript.device_public);
        memcpy(transcript.gateway_public, device.challenge.public_key, sizeof transcript.gateway_public);
        assert_int_equal(usmp_keys_derive(USMP_DEVICE, device.private_key, &transcript, &device.keys),
                         USMP_KEYS_DERIVED);

        uint8_t both[USMP_HELLO_ACK_FRAME + USMP_FRAME_MAX];
        device.port->silent = true;
        struct usmp_hello_ack hello_ack;
        usmp_device_hmac(&device.psk, &transcript, device.id, hello_ack.hmac);
        size_t size = usmp_hello_ack_write((uint8_t)wire, 0, &hello_ack, both);
        const struct usmp_record_context context = {device.keys.device_to_gateway, device.session_ok.session_id,
                                                    USMP_AES_256_GCM};
        size += usmp_record_seal(&context, (uint8_t)wire, USMP_DATA, 0, (const uint8_t *)"early", 5, both + size);
        bare_send(&device, both, USMP_HELLO_ACK_FRAME + USMP_CONTROL_FRAME + 5);
        assert_int_equal(size, USMP_HELLO_ACK_FRAME + USMP_CONTROL_FRAME + 5);
        expect_events(world, 2);
        expect_text(world, 1, ID, "early");
        bare_expect_session_ok(&device);
        world_close(world);
    }
}

/* What is wrong, in each state. */

static void add_garbage(struct bare_device *device, unsigned kind)
{
    uint8_t bytes[USMP_FRAME_MAX] = {0};
    struct usmp_hello hello = {.device_id = {1}};
    struct usmp_hello_ack hello_ack = {.hmac = {1}};
    size_t size = 0;
    switch (kind) {
    case 0: /* no magic */
        size = 1;
        break;
    case 1: /* a version that there is not */
        size = usmp_hello_write(2, 0, &hello, bytes);
        bytes[2] = 3;
        break;
    case 2: /* reserved */
        size = usmp_hello_write(2, 0, &hello, bytes);
        bytes[3] = USMP_ERROR;
        break;
    case 3: /* its length is not that of its type */
        size = usmp_hello_write(2, 0, &hello, bytes);
        bytes[8]--;
        break;
    case 4: /* damaged */
        size = usmp_hello_ack_write(2, 0, &hello_ack, bytes);
        bytes[size - 1] ^= 1;
        break;
    case 5: /* what only a gateway says */
        size = usmp_session_ok_write(2, 0, &(struct usmp_session_ok){.session_id = {1}}, bytes);
        break;
    default: /* UTACKs are for datagrams */
        size = usmp_utack_write_plain(USMP_HELLO, 0, bytes);
        break;
    }
    bare_send(device, bytes, size);
}

#define GARBAGES 7

static void garbage_before_the_hello(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < GARBAGES; kind++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare(world, 2);
        add_garbage(&device, kind);
        bare_expect_closed(&device);
        assert_int_equal(shard_counters(world->shard)->handshakes[USMP_TCP][1][SHARD_HANDSHAKE_PROTOCOL], 1);
        assert_int_equal(world_count_logs(world, "authentication failed"), 1);
        expect_nothing_left(world);
        world_close(world);
    }
}

static void garbage_before_the_hello_ack(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < GARBAGES; kind++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare(world, 2);
        bare_hello(&device, 0, NULL);
        bare_expect_challenge(&device);
        add_garbage(&device, kind);
        bare_expect_closed(&device);
        assert_int_equal(shard_counters(world->shard)->handshakes[USMP_TCP][1][SHARD_HANDSHAKE_PROTOCOL], 1);
        expect_nothing_left(world);
        world_close(world);
    }
}

static void garbage_in_the_session(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < GARBAGES; kind++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare(world, 2);
        bare_connect(&device);
        bare_record(&device, USMP_DATA, 0, "good", 4);
        add_garbage(&device, kind);
        bare_expect_closed(&device);
        expect_events(world, 3);
        expect_disconnected(world, 2, ID, SEAM_PROTOCOL);
        assert_int_equal(world_count_logs(world, "authentication failed"), 0);
        expect_nothing_left(world);
        world_close(world);
    }
}

/* Handshake frames that come too late, twice or in the other wire's form. */
static void frames_of_the_handshake_out_of_place(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 5; kind++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare(world, 2);
        if (kind == 0) {
            bare_hello_ack(&device, 0);
        } else if (kind == 1) {
            bare_hello(&device, 0, NULL);
            bare_ignore(&device);
            bare_hello(&device, 0, NULL);
        } else if (kind == 2) {
            bare_hello(&device, 0, NULL);
            bare_expect_challenge(&device);
            device.wire = 1;
            bare_hello_ack(&device, 0);
        } else {
            bare_connect(&device);
            if (kind == 3)
                bare_hello(&device, 0, NULL);
            else
                bare_hello_ack(&device, 0);
        }
        bare_expect_closed(&device);
        expect_events(world, kind < 3 ? 0 : 2);
        expect_nothing_left(world);
        world_close(world);
    }
}

static void records_that_are_wrong_end_the_session(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 5; kind++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare(world, 2);
        bare_connect(&device);
        switch (kind) {
        case 0: /* a gap */
            bare_record(&device, USMP_DATA, 1, "x", 1);
            break;
        case 1: /* a repeat */
            bare_record(&device, USMP_DATA, 0, "x", 1);
            bare_record(&device, USMP_DATA, 0, "x", 1);
            break;
        case 2: /* another key */
            device.keys.device_to_gateway[0] ^= 1;
            bare_record(&device, USMP_DATA, 0, "x", 1);
            break;
        case 3: /* a control frame inside a message */
            bare_record(&device, USMP_DATA_FRAG, 0, "x", 1);
            bare_record(&device, USMP_PING, 1, NULL, 0);
            break;
        default: /* a fourth fragment with more to follow */
            for (uint32_t seq = 0; seq < 4; seq++)
                bare_record(&device, USMP_DATA_FRAG, seq, "x", 1);
            break;
        }
        bare_expect_closed(&device);
        expect_disconnected(world, world->event_count - 1, ID, SEAM_PROTOCOL);
        expect_nothing_left(world);
        world_close(world);
    }
}

static void a_wire_that_is_not_accepted(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        char config[40];
        snprintf(config, sizeof config, "wire: {versions: [%u]}\n", 3 - wire);
        struct world *world = world_open(config, DEVICES);
        struct bare_device device = bare(world, wire);
        bare_hello(&device, 0, NULL);
        bare_expect_closed(&device);
        assert_int_equal(world_count_logs(world, "device="), 1);
        assert_int_equal(world_count_logs(world, "reason=wrong_wire"), 1);
        assert_int_equal(shard_counters(world->shard)->handshakes[USMP_TCP][wire - 1][SHARD_HANDSHAKE_PROTOCOL], 1);
        struct bare_device udp = bare_device(world, USMP_UDP, wire, ID, PSK, ADDRESS);
        bare_hello(&udp, 0, NULL);
        bare_expect_silence(&udp);
        assert_int_equal(shard_counters(world->shard)->dropped[SHARD_DROP_UNEXPECTED], 1);
        expect_nothing_left(world);
        world_close(world);
    }
}

/* Writes that fail. */

static void the_challenge_cannot_be_written(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, 2);
    device.port->broken = true;
    bare_hello(&device, 0, NULL);
    bare_expect_closed(&device);
    expect_events(world, 0);
    expect_nothing_left(world);
    world_close(world);
}

static void session_ok_cannot_be_written(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, 2);
    bare_hello(&device, 0, NULL);
    bare_expect_challenge(&device);
    device.port->broken = true;
    bare_hello_ack(&device, 0);
    bare_expect_closed(&device);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_PEER);
    expect_nothing_left(world);
    world_close(world);
}

/* Lost in each state. */
static void the_connection_breaks(void **state)
{
    (void)state;
    for (unsigned stage = 0; stage < 3; stage++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare(world, 2);
        if (stage == 1) {
            bare_hello(&device, 0, NULL);
            bare_expect_challenge(&device);
        } else if (stage == 2) {
            bare_connect(&device);
        }
        world_lose_stream(device.port);
        world_settle(world);
        expect_events(world, stage == 2 ? 2 : 0);
        assert_int_equal(world_count_logs(world, "authentication failed"), 0);
        expect_nothing_left(world);
        world_close(world);
    }
}

/* A stream that is drained before there is a session is nobody's business. */
static void drains_before_there_is_a_session(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, 2);
    device.port->full = true;
    bare_hello(&device, 0, NULL);
    bare_expect_challenge(&device);
    world_unblock_stream(device.port);
    bare_hello_ack(&device, 0);
    bare_expect_session_ok(&device);
    expect_events(world, 1);
    world_close(world);
}

/* Behind BYE is nothing. */
static void bytes_behind_bye_are_not_read(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_TCP, 2);
    simulated_device_send(device, "last", 4);
    simulated_device_close(device);
    world_stream_bytes(device, (const uint8_t *)"nonsense", 8);
    world_settle(world);
    expect_events(world, 3);
    expect_text(world, 1, ID, "last");
    expect_disconnected(world, 2, ID, SEAM_BYE);
    expect_nothing_left(world);
    world_close(world);
}

/* The shard goes while connections are in every state, one of them waiting to be read. */
static void the_shard_closes_with_connections(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device silent = bare(world, 2);
    struct bare_device challenged = bare_device(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, ADDRESS);
    bare_hello(&challenged, 0, NULL);
    bare_expect_challenge(&challenged);
    struct simulated_device *paused = world_connect(world, USMP_TCP, 2, THIRD_ID, PSK, ADDRESS);
    world_settle(world);
    world_take_credit(world);
    simulated_device_send(paused, "waits", 5);
    world_settle(world);
    assert_true(paused->paused);
    shard_close(world->shard);
    world->shard = NULL;
    assert_true(paused->paused); /* nobody is told to read on */
    assert_false(silent.port->stream_closed);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_byte_by_byte),
        cmocka_unit_test(comes_in_two_parts),
        cmocka_unit_test(data_comes_right_behind_hello_ack),
        cmocka_unit_test(garbage_before_the_hello),
        cmocka_unit_test(garbage_before_the_hello_ack),
        cmocka_unit_test(garbage_in_the_session),
        cmocka_unit_test(frames_of_the_handshake_out_of_place),
        cmocka_unit_test(records_that_are_wrong_end_the_session),
        cmocka_unit_test(a_wire_that_is_not_accepted),
        cmocka_unit_test(the_challenge_cannot_be_written),
        cmocka_unit_test(session_ok_cannot_be_written),
        cmocka_unit_test(the_connection_breaks),
        cmocka_unit_test(drains_before_there_is_a_session),
        cmocka_unit_test(bytes_behind_bye_are_not_read),
        cmocka_unit_test(the_shard_closes_with_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
