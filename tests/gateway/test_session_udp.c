/* Sessions over UDP from HELLO to the end (docs/protocol.md sections 2 to 4). */
#include "gateway/expect.h"

#define PSK "a long secret that nobody guesses"
#define ID "de:ad:be:ef:00:01"

static const char devices[] = "devices: {'" ID "': {psk: '" PSK "'}}\n";

static void carries_messages_both_ways(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, devices);
    struct simulated_device *device = world_connect(world, USMP_UDP, 2, ID, PSK, "192.0.2.7:50123");
    world_settle(world);
    assert_true(simulated_device_is_connected(device));
    simulated_device_send(device, "up", 2);
    world_settle(world);
    struct seam_command *command = world_send(world, ID, "down");
    world_settle(world);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    expect_received(device, 0, "down", 4);
    simulated_device_close(device);
    world_settle(world);
    expect_events(world, 3);
    expect_connected(world, 0, ID);
    expect_text(world, 1, ID, "up");
    expect_disconnected(world, 2, ID, SEAM_BYE);
    expect_nothing_left(world);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_messages_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
