/* When what the gateway sends is sent again: docs/protocol.md section 4, "Repeats of ours", and section 5. */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#define MILLISECOND UINT64_C(1000)
#define FRAGMENT 452u /* bytes of a message in one frame */

static uint8_t message[USMP_MESSAGE_MAX];

static int setup(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof message; index++)
        message[index] = (uint8_t)(index ^ index >> 8);
    return 0;
}

static struct seam_command *submit(struct world *world, size_t size)
{
    struct seam_command *command = world_command(world, SEAM_SEND, ID, message, size, 30 * WORLD_SECOND);
    world_submit(world, command);
    world_settle(world);
    return command;
}

/* A device whose UTACKs always take 700 ms: after the first message it gets each only once. */
static void a_slow_device_hears_everything_once(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    world->link.weather.delay_min = 350 * MILLISECOND;
    world->link.weather.delay_max = 350 * MILLISECOND;
    for (unsigned count = 0; count < 20; count++) {
        size_t heard = device->frames_heard[USMP_DATA];
        struct seam_command *command = submit(world, 10);
        world_run(world, 2 * WORLD_SECOND);
        expect_outcome(command, SEAM_SENT_BY_DEVICE);
        assert_int_equal(device->frames_heard[USMP_DATA] - heard, count == 0 ? 2 : 1);
    }
    expect_received_count(device, 20);
    world_close(world);
}

static bool loses_one(void *context, const struct packet *packet)
{
    unsigned *left = context;
    if (packet->to_gateway || packet->size < 100)
        return false;
    return (*left)-- == 0;
}

/* A C device has 300 ms for a message once it has begun: one of its later fragments may be lost. */
static void a_lost_fragment_is_made_good_in_time(void **state)
{
    (void)state;
    for (unsigned lost = 1; lost < 4; lost++) {
        struct world *world = world_open(NULL, DEVICES);
        struct simulated_device *device = connected(world, USMP_UDP, 2);
        world->link.weather.delay_min = 10 * MILLISECOND;
        world->link.weather.delay_max = 10 * MILLISECOND;
        unsigned left = lost;
        world->link.loses = loses_one;
        world->link.context = &left;
        struct seam_command *command = submit(world, sizeof message);
        world_run(world, 10 * MILLISECOND); /* the first has come */
        world_run(world, 300 * MILLISECOND);
        expect_received_count(device, 1);
        expect_received(device, 0, message, sizeof message);
        expect_outcome(command, SEAM_SENT_BY_DEVICE);
        world_close(world);
    }
}

/* The Python SDK of wire 1 ends its session at a repeat that it has not read. */
static void nothing_comes_to_wire_1_sooner_than_half_a_second(void **state)
{
    (void)state;
    struct world *world = world_open("wire: {v1_downlink: true}\n", DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&device);
    /* It acknowledges at once, for a while. */
    for (uint32_t seq = 0; seq < 10; seq++) {
        struct seam_command *command = submit(world, 10);
        bare_expect_record(&device, USMP_DATA, seq, message, 10);
        bare_utack(&device, USMP_DATA, seq, false);
        expect_outcome(command, SEAM_SENT_BY_DEVICE);
    }
    struct seam_command *command = submit(world, 2 * FRAGMENT);
    for (uint32_t fragment = 0; fragment < 2; fragment++) {
        uint8_t type = fragment == 0 ? USMP_DATA_FRAG : USMP_DATA;
        const uint8_t *part = message + fragment * FRAGMENT;
        bare_expect_record(&device, type, 10 + fragment, part, FRAGMENT);
        world_run(world, 500 * MILLISECOND - 1);
        bare_expect_silence(&device);
        world_run(world, 1);
        bare_expect_record(&device, type, 10 + fragment, part, FRAGMENT);
        bare_utack(&device, type, 10 + fragment, false);
    }
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_device_hears_everything_once),
        cmocka_unit_test(a_lost_fragment_is_made_good_in_time),
        cmocka_unit_test(nothing_comes_to_wire_1_sooner_than_half_a_second),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
