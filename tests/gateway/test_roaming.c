/* A NAT gives a device a new port in mid-session: it is found by the session id in its frames' nonces, and moved by what
 * is newer than all before and accepted (docs/protocol.md section 5, docs/security.md rule 20). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#define NEW_PORT 50999

static void move_to(struct bare_device *device, uint16_t port)
{
    device->port->path.peer.port = port;
}

/* Where a message to the device goes. */
static void expect_at(struct world *world, struct bare_device *device, uint16_t port, uint32_t seq)
{
    uint16_t before = device->port->path.peer.port;
    move_to(device, port);
    struct seam_command *command = world_send(world, ID, "where are you");
    world_settle(world);
    bare_expect_record(device, USMP_DATA, seq, "where are you", 13);
    bare_utack(device, USMP_DATA, seq, device->wire == 2);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    move_to(device, before);
}

static void moves_with_a_new_frame(unsigned wire)
{
    struct world *world = world_open("wire: {v1_downlink: true}\n", DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, wire, ID, PSK, ADDRESS);
    bare_connect(&device);
    expect_at(world, &device, 50123, 0);
    move_to(&device, NEW_PORT);
    uint32_t seq = wire == 2 ? 5 : 1; /* wire 1: one sequence of nonces, but one of numbers for each */
    bare_record(&device, USMP_DATA, wire == 2 ? seq : 0, "moved", 5);
    bare_expect_utack(&device, USMP_DATA, wire == 2 ? seq : 0, wire == 2);
    expect_text(world, 1, ID, "moved");
    expect_events(world, 2); /* no other session, and its peer is where it began */
    expect_at(world, &device, NEW_PORT, 1);
    world_close(world);
}

static void moves_with_a_new_frame_on_both_wires(void **state)
{
    (void)state;
    moves_with_a_new_frame(1);
    moves_with_a_new_frame(2);
}

/* It is answered where it came from, and moves nothing. */
static void does_not_move_with_an_old_one(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 10, "ten", 3);
    bare_expect_utack(&device, USMP_DATA, 10, true);
    move_to(&device, NEW_PORT);
    bare_repeat(&device);
    bare_expect_utack(&device, USMP_DATA, 10, true);
    bare_record(&device, USMP_DATA, 9, "nine", 4);
    bare_expect_utack(&device, USMP_DATA, 9, true);
    expect_text(world, 2, ID, "nine");
    expect_at(world, &device, 50123, 0);
    world_close(world);
}

static void does_not_move_with_what_is_not_accepted(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 0, "zero", 4);
    bare_ignore(&device);
    world_take_credit(world);
    move_to(&device, NEW_PORT);
    bare_record(&device, USMP_DATA, 1, "one", 3);
    bare_expect_silence(&device);
    expect_at(world, &device, 50123, 0);
    world_give_credit(world, WORLD_CREDIT);
    bare_record(&device, USMP_DATA, 1, "one", 3);
    bare_expect_utack(&device, USMP_DATA, 1, true);
    expect_at(world, &device, NEW_PORT, 1);
    world_close(world);
}

static void does_not_move_with_a_forged_one(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct bare_device attacker = device;
    memset(attacker.keys.device_to_gateway, 0, sizeof attacker.keys.device_to_gateway);
    move_to(&device, NEW_PORT);
    bare_record(&attacker, USMP_DATA, 7, "moved", 5);
    bare_expect_silence(&device);
    assert_int_equal(shard_counters(world->shard)->dropped[SHARD_DROP_NOT_AUTHENTIC], 1);
    move_to(&device, 50123);
    bare_record(&device, USMP_DATA, 0, "zero", 4);
    bare_expect_utack(&device, USMP_DATA, 0, true);
    expect_at(world, &device, 50123, 0);
    world_close(world);
}

/* A PING says where it is as well, and its PONG goes there already. */
static void moves_with_ping(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    move_to(&device, NEW_PORT);
    bare_record(&device, USMP_PING, 0, NULL, 0);
    bare_expect_utack(&device, USMP_PING, 0, true);
    bare_expect_record(&device, USMP_PONG, 0, NULL, 0);
    bare_utack(&device, USMP_PONG, 0, true);
    expect_at(world, &device, NEW_PORT, 1);
    world_close(world);
}

/* Answers leave from the address that the device calls. */
static void follows_to_another_address_of_ours(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    device.port->path.local = world_address("198.51.100.2:9000");
    bare_record(&device, USMP_DATA, 0, "here", 4);
    bare_ignore(&device);
    struct seam_command *command = world_send(world, ID, "from where");
    assert_int_equal(world->link.count, 1);
    assert_true(address_equal(&world->link.heap[0]->path.local, &device.port->path.local));
    world_settle(world);
    bare_utack(&device, USMP_DATA, 0, true);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

/* The repeats of a message go to the new address too; its UTACK from there is taken. */
static void takes_what_is_under_way_along(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct seam_command *command = world_send(world, ID, "lost");
    move_to(&device, NEW_PORT); /* what is under way to the old one is lost */
    world_settle(world);
    assert_int_equal(world->strangers, 1);
    bare_record(&device, USMP_DATA, 0, "moved", 5);
    bare_expect_utack(&device, USMP_DATA, 0, true);
    world_run(world, 600000);
    bare_expect_record(&device, USMP_DATA, 0, "lost", 4);
    bare_utack(&device, USMP_DATA, 0, true);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

/* Limits count a session where its handshake came from. */
static void keeps_its_place_in_the_limits(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {sessions_per_ip: 1}\n", DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    device.port->path.peer = world_address("203.0.113.9:7");
    bare_record(&device, USMP_DATA, 0, "moved", 5);
    bare_ignore(&device);
    refused(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:1");
    struct simulated_device *there = world_connect(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, "203.0.113.9:8");
    world_settle(world);
    assert_true(simulated_device_is_connected(there));
    bare_record(&device, USMP_BYE, 1, NULL, 0);
    simulated_device_close(there);
    expect_nothing_left(world);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_with_a_new_frame_on_both_wires),
        cmocka_unit_test(does_not_move_with_an_old_one),
        cmocka_unit_test(does_not_move_with_what_is_not_accepted),
        cmocka_unit_test(does_not_move_with_a_forged_one),
        cmocka_unit_test(moves_with_ping),
        cmocka_unit_test(follows_to_another_address_of_ours),
        cmocka_unit_test(takes_what_is_under_way_along),
        cmocka_unit_test(keeps_its_place_in_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
