/* Wire 1 uses one key and one nonce sequence for both directions, so nothing encrypted leaves unless somebody allowed it
 * (docs/security.md rule 21), and its devices are strict (docs/protocol.md section 3). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#define DOWNLINK "wire: {v1_downlink: true}\n"
#define PER_DEVICE                                                                                                     \
    "devices:\n"                                                                                                       \
    "  '" ID "': {psk: '" PSK "', v1_downlink: false}\n"                                                               \
    "  '" OTHER_ID "': {psk: '" OTHER_PSK "', v1_downlink: true}\n"                                                    \
    "  '" THIRD_ID "': {psk: '" PSK "'}\n"

enum way {
    BY_BYE,
    BY_COMMAND,
    BY_TIMEOUT,
    BY_DRAIN,
    BY_RELOAD,
    BY_REPLACEMENT,
    BY_PROTOCOL,
    BY_FLOOD,
    WAYS,
};

static void end_it(struct world *world, struct simulated_device *device, enum way way)
{
    struct seam_command *command;
    switch (way) {
    case BY_BYE:
        simulated_device_close(device);
        break;
    case BY_COMMAND:
        command = world_command(world, SEAM_CLOSE, ID, NULL, 0, WORLD_SECOND);
        world_submit(world, command);
        world_command_free(command);
        break;
    case BY_TIMEOUT:
        world_run(world, 61 * WORLD_SECOND);
        break;
    case BY_DRAIN:
        shard_drain(world->shard, world->now);
        break;
    case BY_RELOAD:
        world_reload(world, NULL, "devices: {'" ID "': {revoked: true}}\n");
        break;
    case BY_REPLACEMENT:
        world_connect(world, device->transport, 2, ID, PSK, "192.0.2.7:50999");
        break;
    case BY_PROTOCOL: /* over UDP it is only dropped, and then times out */
        if (device->transport == USMP_TCP)
            world_stream_bytes(device, (const uint8_t *)"nonsense", 8);
        else
            world_datagram(world, ADDRESS, (const uint8_t *)"nonsense", 8);
        world_run(world, 61 * WORLD_SECOND);
        break;
    case BY_FLOOD:
        for (unsigned count = 0; count < 9; count++) {
            simulated_device_ping(device);
            world_settle(world);
        }
        break;
    case WAYS:
        break;
    }
    world_run(world, 30 * WORLD_SECOND);
}

/* Whatever comes and however it ends, a listener gets no frame of ours under that key. */
static void nothing_encrypted_leaves_on_any_way(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        for (unsigned transport = 0; transport < 2; transport++) {
            struct world *world = world_open(NULL, DEVICES);
            struct simulated_device *device = connected(world, (enum usmp_transport)transport, 1);
            simulated_device_send(device, "up", 2);
            simulated_device_send(device, "and more", 8);
            world_run(world, WORLD_SECOND);
            simulated_device_ping(device);
            world_run(world, WORLD_SECOND);
            struct seam_command *command = world_send(world, ID, "down");
            expect_outcome(command, SEAM_FORBIDDEN);
            end_it(world, device, (enum way)way);
            assert_int_equal(device->encrypted_heard, 0);
            assert_int_equal(device->frames_heard[USMP_CHALLENGE] + device->frames_heard[USMP_SESSION_OK], 2);
            expect_text(world, 1, ID, "up");
            expect_text(world, 2, ID, "and more");
            assert_int_equal(world->events[3].event.kind, SEAM_DISCONNECTED);
            expect_events_paired(world);
            world_close(world);
        }
    }
}

static void with_downlink_it_is_spoken_to(enum usmp_transport transport)
{
    struct world *world = world_open(DOWNLINK, DEVICES);
    struct simulated_device *device = connected(world, transport, 1);
    uint8_t bytes[USMP_MESSAGE_MAX];
    memset(bytes, 'd', sizeof bytes);
    struct seam_command *command = world_command(world, SEAM_SEND, ID, bytes, sizeof bytes, 30 * WORLD_SECOND);
    world_submit(world, command);
    world_run(world, WORLD_SECOND);
    expect_outcome(command, transport == USMP_UDP ? SEAM_SENT_BY_DEVICE : SEAM_SENT_BY_SOCKET);
    expect_received(device, 0, bytes, sizeof bytes);
    simulated_device_ping(device);
    world_run(world, WORLD_SECOND);
    assert_int_equal(device->frames_heard[USMP_PONG], 1);
    shard_drain(world->shard, world->now);
    world_settle(world);
    assert_int_equal(device->frames_heard[USMP_BYE], 1);
    assert_true(shard_is_drained(world->shard));
    expect_events_paired(world);
    world_close(world);
}

static void with_downlink_it_is_spoken_to_over_both(void **state)
{
    (void)state;
    with_downlink_it_is_spoken_to(USMP_TCP);
    with_downlink_it_is_spoken_to(USMP_UDP);
}

/* A device's own entry decides, either way. */
static void downlink_is_set_for_each_device(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        const char *id;
        const char *psk;
        bool allowed;
    } cases[] = {
        {NULL, ID, PSK, false},     {NULL, OTHER_ID, OTHER_PSK, true},     {NULL, THIRD_ID, PSK, false},
        {DOWNLINK, ID, PSK, false}, {DOWNLINK, OTHER_ID, OTHER_PSK, true}, {DOWNLINK, THIRD_ID, PSK, true},
    };
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        struct world *world = world_open(cases[index].config, PER_DEVICE);
        world_connect(world, USMP_UDP, 1, cases[index].id, cases[index].psk, ADDRESS);
        world_settle(world);
        struct seam_command *command = world_send(world, cases[index].id, "down");
        world_settle(world);
        expect_outcome(command, cases[index].allowed ? SEAM_SENT_BY_DEVICE : SEAM_FORBIDDEN);
        world_close(world);
    }
}

/* Our own frames would open under the one key. They are neither messages nor a sign of life. */
static void our_own_frames_reflected_are_dropped(void **state)
{
    (void)state;
    struct world *world = world_open(DOWNLINK, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct seam_command *command = world_send(world, ID, "ours");
    world_settle(world);
    uint8_t ours[USMP_FRAME_MAX];
    bare_expect_frame(&device, USMP_DATA, ours);
    bare_utack(&device, USMP_DATA, 0, false);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    size_t size = USMP_CONTROL_FRAME + 4;
    for (unsigned round = 0; round < 6; round++) {
        world_run(world, 9900000);
        bare_send(&device, ours, size);
        bare_expect_silence(&device);
    }
    expect_events(world, 1);
    world_run(world, 700000);
    expect_disconnected(world, 1, ID, SEAM_TIMEOUT);
    world_close(world);
}

/* A gap would end its session: the SDK knows no window. */
static void it_takes_the_next_seq_or_a_repeat_of_the_last(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 0, "one", 3);
    bare_expect_utack(&device, USMP_DATA, 0, false);
    bare_record(&device, USMP_DATA, 2, "three", 5);
    bare_expect_silence(&device);
    bare_record(&device, USMP_DATA, 0, "one", 3);
    bare_expect_utack(&device, USMP_DATA, 0, false);
    bare_record(&device, USMP_DATA, 1, "two", 3);
    bare_expect_utack(&device, USMP_DATA, 1, false);
    bare_record(&device, USMP_DATA, 0, "one", 3);
    bare_expect_silence(&device);
    bare_record(&device, USMP_DATA, 2, "three", 5);
    bare_expect_utack(&device, USMP_DATA, 2, false);
    expect_events(world, 4);
    expect_text(world, 2, ID, "two");
    expect_text(world, 3, ID, "three");
    world_close(world);
}

/* Never sooner than 500 ms, and one that is given up takes the session with it, since no seq may be left out. */
static void a_message_that_is_given_up_ends_the_session(void **state)
{
    (void)state;
    struct world *world = world_open(DOWNLINK, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct seam_command *command = world_command(world, SEAM_SEND, ID, "down", 4, 2 * WORLD_SECOND);
    struct seam_command *next = world_send(world, ID, "next");
    world_submit(world, command);
    world_settle(world);
    bare_expect_record(&device, USMP_DATA, 0, "next", 4);
    world_run(world, 499999);
    bare_expect_silence(&device);
    world_run(world, 1);
    bare_expect_record(&device, USMP_DATA, 0, "next", 4);
    bare_utack(&device, USMP_DATA, 0, false);
    expect_outcome(next, SEAM_SENT_BY_DEVICE);
    world_run(world, 1600000);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_TIMEOUT);
    expect_outcome(command, SEAM_UNCONFIRMED);
    expect_nothing_left(world);
    world_close(world);
}

/* REKEY and ChaCha20-Poly1305 are of wire 2. */
static void it_knows_no_rekey(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    uint8_t rekey[USMP_REKEY_FRAME] = {USMP_MAGIC_0, USMP_MAGIC_1, 1, USMP_REKEY};
    bare_connect(&device);
    bare_send(&device, rekey, sizeof rekey);
    bare_expect_silence(&device);
    assert_int_equal(shard_counters(world->shard)->dropped[SHARD_DROP_MALFORMED], 1);
    device.suite = USMP_CHACHA20_POLY1305;
    bare_record(&device, USMP_DATA, 0, "chacha", 6);
    bare_expect_silence(&device);
    expect_events(world, 1);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_encrypted_leaves_on_any_way),
        cmocka_unit_test(with_downlink_it_is_spoken_to_over_both),
        cmocka_unit_test(downlink_is_set_for_each_device),
        cmocka_unit_test(our_own_frames_reflected_are_dropped),
        cmocka_unit_test(it_takes_the_next_seq_or_a_repeat_of_the_last),
        cmocka_unit_test(a_message_that_is_given_up_ends_the_session),
        cmocka_unit_test(it_knows_no_rekey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
