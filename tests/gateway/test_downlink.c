/* Messages to a device and what becomes of them (seam/command.h; docs/protocol.md section 4 "Downlink repeats"). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/shard_internal.h"

#define SMALL "devices: {'" ID "': {psk: '" PSK "', max_downlink: 255}}\n"

static struct seam_command *submit(struct world *world, const char *text, uint64_t time_to_live)
{
    struct seam_command *command = world_command(world, SEAM_SEND, ID, text, strlen(text), time_to_live);
    world_submit(world, command);
    return command;
}

static void nobody_is_connected(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    expect_outcome(world_send(world, ID, "x"), SEAM_NOT_CONNECTED);
    expect_outcome(world_send(world, UNKNOWN_ID, "x"), SEAM_NOT_CONNECTED);
    struct seam_command *close = world_command(world, SEAM_CLOSE, ID, NULL, 0, WORLD_SECOND);
    world_submit(world, close);
    expect_outcome(close, SEAM_NOT_CONNECTED);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    simulated_device_close(device);
    world_settle(world);
    expect_outcome(world_send(world, ID, "x"), SEAM_NOT_CONNECTED);
    world_close(world);
}

static void only_to_one_session(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    for (unsigned operation = 0; operation < 2; operation++) {
        for (unsigned right = 0; right < 2; right++) {
            struct seam_command *command = world_command(world, operation == 0 ? SEAM_SEND : SEAM_CLOSE, ID, "x",
                                                         operation == 0 ? 1 : 0, WORLD_SECOND);
            command->session_given = true;
            memcpy(command->session, device->end.session.session_id, sizeof command->session);
            command->session[15] ^= right ? 0 : 1;
            world_submit(world, command);
            world_settle(world);
            enum seam_outcome done = operation == 0 ? SEAM_SENT_BY_DEVICE : SEAM_CLOSE_DONE;
            expect_outcome(command, right ? done : SEAM_NOT_CONNECTED);
        }
    }
    expect_received_count(device, 1);
    expect_disconnected(world, 1, ID, SEAM_CLOSED);
    world_close(world);
}

static void longer_than_the_device_takes(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, SMALL);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    uint8_t bytes[256] = {0};
    struct seam_command *command = world_command(world, SEAM_SEND, ID, bytes, 256, WORLD_SECOND);
    world_submit(world, command);
    assert_int_equal(command->limit, 255);
    expect_outcome(command, SEAM_TOO_LARGE);
    command = world_command(world, SEAM_SEND, ID, bytes, 255, WORLD_SECOND);
    world_submit(world, command);
    world_settle(world);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    expect_received(device, 0, bytes, 255);

    /* A reload may change it for the session that is there. */
    world_reload(world, NULL, "devices: {'" ID "': {psk: '" PSK "', max_downlink: 10}}\n");
    expect_outcome(world_send(world, ID, "eleven byte"), SEAM_TOO_LARGE);
    command = world_send(world, ID, "ten bytes!");
    world_settle(world);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

static void in_their_order_one_at_a_time(enum usmp_transport transport)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, 2);
    struct seam_command *commands[10];
    for (unsigned index = 0; index < 10; index++) {
        char text[2] = {(char)('0' + index), 0};
        commands[index] = world_send(world, ID, text);
    }
    world_settle(world);
    expect_received_count(device, 10);
    assert_int_equal(world->finished_count, 10);
    for (unsigned index = 0; index < 10; index++) {
        char text[2] = {(char)('0' + index), 0};
        expect_received(device, index, text, 1);
        assert_ptr_equal(world->finished[index], commands[index]);
        expect_outcome(commands[index], transport == USMP_UDP ? SEAM_SENT_BY_DEVICE : SEAM_SENT_BY_SOCKET);
    }
    world_close(world);
}

static void in_their_order_one_at_a_time_over_both(void **state)
{
    (void)state;
    in_their_order_one_at_a_time(USMP_TCP);
    in_their_order_one_at_a_time(USMP_UDP);
}

static void too_many_wait_for_the_device(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    struct seam_command *commands[SESSION_COMMANDS_MAX];
    device->silent = true;
    for (unsigned index = 0; index < SESSION_COMMANDS_MAX; index++) {
        commands[index] = world_send(world, ID, "x");
        expect_pending(commands[index]);
    }
    expect_outcome(world_send(world, ID, "x"), SEAM_BUSY);
    device->silent = false;
    world_run(world, 10 * WORLD_SECOND);
    for (unsigned index = 0; index < SESSION_COMMANDS_MAX; index++)
        expect_outcome(commands[index], SEAM_SENT_BY_DEVICE);
    expect_received_count(device, SESSION_COMMANDS_MAX);
    struct seam_command *after = world_send(world, ID, "x");
    world_settle(world);
    expect_outcome(after, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

/* The first was on the wire, those behind it never were. */
static void the_deadline_passes(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    device->silent = true;
    struct seam_command *first = submit(world, "first", 3 * WORLD_SECOND);
    struct seam_command *second = submit(world, "second", 2 * WORLD_SECOND);
    struct seam_command *third = submit(world, "third", 20 * WORLD_SECOND);
    world_run(world, 1999999);
    expect_pending(second);
    world_run(world, 1);
    expect_outcome(second, SEAM_EXPIRED);
    expect_pending(first);
    world_run(world, WORLD_SECOND);
    expect_outcome(first, SEAM_UNCONFIRMED);
    expect_pending(third);
    device->silent = false;
    world_run(world, 10 * WORLD_SECOND);
    expect_outcome(third, SEAM_SENT_BY_DEVICE);
    expect_received_count(device, 1);
    expect_received(device, 0, "third", 5);
    world_close(world);
}

/* What waited too long on its way to us does not leave any more. */
static void the_deadline_has_passed_already(enum usmp_transport transport)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, 2);
    struct seam_command *command = submit(world, "too late", 0);
    expect_outcome(command, SEAM_EXPIRED);
    world_settle(world);
    expect_received_count(device, 0);
    world_close(world);
}

static void the_deadline_has_passed_already_over_both(void **state)
{
    (void)state;
    the_deadline_has_passed_already(USMP_TCP);
    the_deadline_has_passed_already(USMP_UDP);
}

/* A device that is busy sending holds one datagram and acknowledges it seconds later: it is not given up after five
 * tries. */
static void it_is_repeated_with_back_off(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct seam_command *command = world_send(world, ID, "wait");
    world_run(world, 29 * WORLD_SECOND);
    assert_in_range(device.port->received.count, 6, 12);
    while (device.port->received.count > 0)
        bare_expect_record(&device, USMP_DATA, 0, "wait", 4);
    bare_utack(&device, USMP_DATA, 0, true);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

static void the_session_ends(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    device->silent = true;
    struct seam_command *first = world_send(world, ID, "first");
    struct seam_command *second = world_send(world, ID, "second");
    struct seam_command *close = world_command(world, SEAM_CLOSE, ID, NULL, 0, WORLD_SECOND);
    world_submit(world, close);
    assert_int_equal(world->finished_count, 3);
    assert_ptr_equal(world->finished[2], close); /* in the order in which they came */
    expect_outcome(first, SEAM_UNCONFIRMED);
    expect_outcome(second, SEAM_NOT_CONNECTED);
    expect_outcome(close, SEAM_CLOSE_DONE);
    world_close(world);
}

static void the_shard_closes(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    device->silent = true;
    struct seam_command *first = world_send(world, ID, "first");
    struct seam_command *second = world_send(world, ID, "second");
    world_close(world);
    expect_outcome(first, SEAM_UNCONFIRMED);
    expect_outcome(second, SEAM_NOT_CONNECTED);
}

/* Over TCP the kernel's buffer is full: what is written waits, what follows does not even begin. */
static void the_stream_is_full(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_TCP, 2);
    device->full = true;
    struct seam_command *first = submit(world, "first", 30 * WORLD_SECOND);
    struct seam_command *second = submit(world, "second", 30 * WORLD_SECOND);
    struct seam_command *third = submit(world, "third", 2 * WORLD_SECOND);
    expect_pending(first);
    world_run(world, 3 * WORLD_SECOND);
    expect_outcome(third, SEAM_EXPIRED);
    expect_pending(first);
    expect_pending(second);
    world_unblock_stream(device);
    world_settle(world);
    expect_outcome(first, SEAM_SENT_BY_SOCKET);
    expect_outcome(second, SEAM_SENT_BY_SOCKET);
    expect_received_count(device, 2);
    world_close(world);
}

static void the_stream_is_full_for_too_long(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_TCP, 2);
    device->full = true;
    struct seam_command *first = submit(world, "first", WORLD_SECOND);
    world_run(world, 2 * WORLD_SECOND);
    expect_outcome(first, SEAM_UNCONFIRMED);
    struct seam_command *second = submit(world, "second", 30 * WORLD_SECOND);
    expect_pending(second); /* the stream is still full */
    world_unblock_stream(device);
    world_settle(world);
    expect_outcome(second, SEAM_SENT_BY_SOCKET);
    expect_received_count(device, 2);
    world_close(world);
}

static void the_stream_fails(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_TCP, 2);
    device->broken = true;
    struct seam_command *first = submit(world, "first", 30 * WORLD_SECOND);
    expect_outcome(first, SEAM_UNCONFIRMED);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_PEER);
    assert_true(device->stream_closed);
    expect_nothing_left(world);
    world_close(world);
}

/* Also when it is a PONG that cannot be written, or one of several messages that have waited. */
static void the_stream_fails_at_any_write(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_TCP, 2);
    device->broken = true;
    simulated_device_ping(device);
    world_settle(world);
    expect_disconnected(world, 1, ID, SEAM_PEER);

    device = connected(world, USMP_TCP, 2);
    device->full = true;
    struct seam_command *first = submit(world, "first", 30 * WORLD_SECOND);
    struct seam_command *second = submit(world, "second", 30 * WORLD_SECOND);
    device->broken = true;
    world_unblock_stream(device);
    world_settle(world);
    expect_outcome(first, SEAM_SENT_BY_SOCKET);
    expect_outcome(second, SEAM_UNCONFIRMED);
    expect_disconnected(world, 3, ID, SEAM_PEER);
    expect_nothing_left(world);
    world_close(world);
}

/* The last sequence numbers ever: the session ends, and its end is told at once. */
static void the_sequence_is_used_up(enum usmp_transport transport)
{
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, transport, 2);
    struct session *session = world->shard->newest_session;
    session->wire.send_next = USMP_SEQ_LAST - 1;
    device->silent = true;
    uint8_t bytes[1000] = {0};
    struct seam_command *command = world_command(world, SEAM_SEND, ID, bytes, sizeof bytes, 30 * WORLD_SECOND);
    world_submit(world, command);
    expect_outcome(command, SEAM_NOT_CONNECTED);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_PROTOCOL);
    expect_nothing_left(world);
    world_close(world);
}

static void the_sequence_is_used_up_over_both(void **state)
{
    (void)state;
    the_sequence_is_used_up(USMP_TCP);
    the_sequence_is_used_up(USMP_UDP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_connected),
        cmocka_unit_test(only_to_one_session),
        cmocka_unit_test(longer_than_the_device_takes),
        cmocka_unit_test(in_their_order_one_at_a_time_over_both),
        cmocka_unit_test(too_many_wait_for_the_device),
        cmocka_unit_test(the_deadline_passes),
        cmocka_unit_test(the_deadline_has_passed_already_over_both),
        cmocka_unit_test(it_is_repeated_with_back_off),
        cmocka_unit_test(the_session_ends),
        cmocka_unit_test(the_shard_closes),
        cmocka_unit_test(the_stream_is_full),
        cmocka_unit_test(the_stream_is_full_for_too_long),
        cmocka_unit_test(the_stream_fails),
        cmocka_unit_test(the_stream_fails_at_any_write),
        cmocka_unit_test(the_sequence_is_used_up_over_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
