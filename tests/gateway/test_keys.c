/* REKEY, and which suite a session uses (docs/protocol.md sections 3 and 4). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

static const uint8_t salt[USMP_REKEY_SALT_SIZE] = "thirty-two bytes that are random";

static void messages_go_on_over_rekey(enum usmp_transport transport)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, 2);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned count = 0; count < 70; count++)
            simulated_device_send(device, "up", 2);
        world_run(world, WORLD_SECOND);
        for (unsigned count = 0; count < 70; count++) {
            struct seam_command *command = world_send(world, ID, "down");
            world_settle(world);
            expect_outcome(command, transport == USMP_UDP ? SEAM_SENT_BY_DEVICE : SEAM_SENT_BY_SOCKET);
        }
        world_run(world, WORLD_SECOND);
        expect_received_count(device, 70 * (round + (size_t)1));
        expect_events(world, 1 + 70 * (round + (size_t)1));
        simulated_device_rekey(device);
        world_run(world, WORLD_SECOND);
        assert_true(simulated_device_is_connected(device));
    }
    expect_events_paired(world);
    world_close(world);
}

static void messages_go_on_over_rekey_over_both(void **state)
{
    (void)state;
    messages_go_on_over_rekey(USMP_TCP);
    messages_go_on_over_rekey(USMP_UDP);
}

static void switch_keys(struct bare_device *device)
{
    usmp_keys_rekey(&device->keys, USMP_DEVICE, device->session_ok.session_id, salt, &device->keys);
}

/* The session keeps its name and goes on to be found by it. */
static void a_session_can_move_after_rekey(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 500, "before", 6);
    bare_ignore(&device);
    bare_record(&device, USMP_REKEY, 501, salt, sizeof salt);
    bare_expect_utack(&device, USMP_REKEY, 501, true);
    switch_keys(&device);
    device.port->path.peer.port = 50999;
    bare_record(&device, USMP_DATA, 0, "after", 5);
    bare_expect_utack(&device, USMP_DATA, 0, true);
    expect_text(world, 2, ID, "after");
    world_close(world);
}

/* What was under way when REKEY came is stopped; its UTACK under the old key says that it has arrived. */
static void a_message_in_flight_that_had_arrived_is_sent(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct seam_command *command = world_send(world, ID, "in flight");
    world_settle(world);
    bare_expect_record(&device, USMP_DATA, 0, "in flight", 9);
    struct bare_device before = device;
    bare_record(&device, USMP_REKEY, 0, salt, sizeof salt);
    bare_expect_utack(&device, USMP_REKEY, 0, true);
    switch_keys(&device);
    world_run(world, 400000);
    bare_expect_silence(&device);
    bare_utack(&before, USMP_DATA, 0, true);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_run(world, 10 * WORLD_SECOND);
    bare_expect_silence(&device);
    world_close(world);
}

/* Otherwise it comes again, whole, under the new key. */
static void a_message_in_flight_is_sent_again(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct seam_command *command = world_send(world, ID, "in flight");
    world_settle(world);
    bare_expect_record(&device, USMP_DATA, 0, "in flight", 9);
    bare_record(&device, USMP_REKEY, 0, salt, sizeof salt);
    bare_expect_utack(&device, USMP_REKEY, 0, true);
    switch_keys(&device);
    world_run(world, WORLD_SECOND);
    bare_expect_record(&device, USMP_DATA, 1, "in flight", 9);
    expect_pending(command);
    bare_utack(&device, USMP_DATA, 1, true);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

/* Inside a message: over TCP the session ends, over UDP the rest of it is nothing. */
static void rekey_inside_a_message(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device tcp = bare_device(world, USMP_TCP, 2, ID, PSK, "192.0.2.7:1");
    bare_connect(&tcp);
    bare_record(&tcp, USMP_DATA_FRAG, 0, "half", 4);
    bare_record(&tcp, USMP_REKEY, 1, salt, sizeof salt);
    bare_expect_closed(&tcp);
    expect_disconnected(world, 1, ID, SEAM_PROTOCOL);

    struct bare_device udp = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&udp);
    bare_record(&udp, USMP_DATA_FRAG, 0, "half", 4);
    bare_expect_utack(&udp, USMP_DATA_FRAG, 0, true);
    bare_record(&udp, USMP_REKEY, 1, salt, sizeof salt);
    bare_expect_utack(&udp, USMP_REKEY, 1, true);
    switch_keys(&udp);
    bare_record(&udp, USMP_DATA, 0, "whole", 5);
    bare_expect_utack(&udp, USMP_DATA, 0, true);
    expect_events(world, 4);
    expect_text(world, 3, ID, "whole");
    world_close(world);
}

#define CIPHERS                                                                                                        \
    "devices:\n"                                                                                                       \
    "  '" ID "': {psk: '" PSK "'}\n"                                                                                   \
    "  '" OTHER_ID "': {psk: '" OTHER_PSK "', cipher: chacha20-poly1305}\n"                                            \
    "  '" THIRD_ID "': {psk: '" PSK "', cipher: aes-256-gcm}\n"

static void by_suite(enum usmp_transport transport, const char *id, const char *psk, enum usmp_suite suite,
                     bool expected)
{
    struct world *world = world_open(NULL, CIPHERS);
    struct bare_device device = bare_device(world, transport, 2, id, psk, ADDRESS);
    device.suite = suite;
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 0, "first", 5);
    if (!expected) {
        if (transport == USMP_TCP)
            bare_expect_closed(&device);
        bare_expect_silence(&device);
        expect_events(world, transport == USMP_TCP ? 2 : 1);
        world_close(world);
        return;
    }
    if (transport == USMP_UDP)
        bare_expect_utack(&device, USMP_DATA, 0, true);
    expect_text(world, 1, id, "first");
    struct seam_command *command = world_send(world, id, "down");
    world_settle(world);
    bare_expect_record(&device, USMP_DATA, 0, "down", 4);
    if (transport == USMP_UDP)
        bare_utack(&device, USMP_DATA, 0, true);
    expect_outcome(command, transport == USMP_UDP ? SEAM_SENT_BY_DEVICE : SEAM_SENT_BY_SOCKET);

    /* What opened is kept. */
    struct bare_device other = device;
    other.suite = suite == USMP_AES_256_GCM ? USMP_CHACHA20_POLY1305 : USMP_AES_256_GCM;
    if (transport == USMP_UDP) {
        bare_record(&other, USMP_DATA, 1, "the other suite", 15);
        bare_expect_silence(&device);
        bare_record(&device, USMP_REKEY, 1, salt, sizeof salt);
        bare_expect_utack(&device, USMP_REKEY, 1, true);
        switch_keys(&device);
        other.keys = device.keys;
        bare_record(&other, USMP_DATA, 0, "the other suite", 15);
        bare_expect_silence(&device);
        bare_record(&device, USMP_DATA, 0, "after", 5);
        bare_expect_utack(&device, USMP_DATA, 0, true);
    } else {
        bare_record(&device, USMP_DATA, 1, "after", 5);
    }
    expect_text(world, 2, id, "after");
    expect_events(world, 3);
    world_close(world);
}

static void chacha20_by_trial_and_by_entry(void **state)
{
    (void)state;
    for (unsigned number = 0; number < 2; number++) {
        enum usmp_transport transport = (enum usmp_transport)number;
        by_suite(transport, ID, PSK, USMP_AES_256_GCM, true);
        by_suite(transport, ID, PSK, USMP_CHACHA20_POLY1305, true);
        by_suite(transport, OTHER_ID, OTHER_PSK, USMP_CHACHA20_POLY1305, true);
        by_suite(transport, OTHER_ID, OTHER_PSK, USMP_AES_256_GCM, false);
        by_suite(transport, THIRD_ID, PSK, USMP_AES_256_GCM, true);
        by_suite(transport, THIRD_ID, PSK, USMP_CHACHA20_POLY1305, false);
    }
}

/* An entry may name a suite that the wire of its device does not have. */
static void wire_1_has_one_suite_whatever_its_entry_says(void **state)
{
    (void)state;
    struct world *world = world_open("wire: {v1_downlink: true}\n", CIPHERS);
    struct bare_device device = bare_device(world, USMP_UDP, 1, OTHER_ID, OTHER_PSK, ADDRESS);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 0, "up", 2);
    bare_expect_utack(&device, USMP_DATA, 0, false);
    struct seam_command *command = world_send(world, OTHER_ID, "down");
    world_settle(world);
    bare_expect_record(&device, USMP_DATA, 0, "down", 4);
    bare_utack(&device, USMP_DATA, 0, false);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_on_over_rekey_over_both),
        cmocka_unit_test(a_session_can_move_after_rekey),
        cmocka_unit_test(a_message_in_flight_that_had_arrived_is_sent),
        cmocka_unit_test(a_message_in_flight_is_sent_again),
        cmocka_unit_test(rekey_inside_a_message),
        cmocka_unit_test(chacha20_by_trial_and_by_entry),
        cmocka_unit_test(wire_1_has_one_suite_whatever_its_entry_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
