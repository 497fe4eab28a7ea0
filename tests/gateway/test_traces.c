/* What a gateway and its devices say to each other, line by line, compared with tests/data/traces. What is there was
 * read against docs/protocol.md; it changes only by
 *
 *     test_gateway_traces --write FOLDER
 *
 * and has to be read again then.
 */
#include "gateway/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/trace.h"

#define DELAY 10000u /* microseconds, each way */

static void connect_at(struct world *world, struct simulated_device **device, enum usmp_transport transport,
                       const char *address)
{
    *device = world_connect(world, transport, 2, ID, PSK, address);
    world_run(world, 200000);
}

/* A device resets in the middle of a message to it, comes back from the same port, and then over TCP. */
static void play_replaced_session(struct world *world)
{
    struct simulated_device *first;
    struct simulated_device *second;
    struct simulated_device *third;
    trace_remark(world->trace, "a device connects and sends a reading", world->now.monotonic);
    connect_at(world, &first, USMP_UDP, ADDRESS);
    simulated_device_send(first, "t=21.5", 6);
    world_run(world, 200000);

    trace_remark(world->trace, "it resets; a message for it is under way", world->now.monotonic);
    first->silent = true;
    struct seam_command *lost = world_send(world, ID, "relay=on");
    world_run(world, 600000);

    trace_remark(world->trace, "it comes back from the same port", world->now.monotonic);
    connect_at(world, &second, USMP_UDP, ADDRESS);
    struct seam_command *arrives = world_send(world, ID, "relay=on");
    simulated_device_send(second, "t=21.6", 6);
    world_run(world, 200000);

    trace_remark(world->trace, "and over TCP, without a word to the session over UDP", world->now.monotonic);
    connect_at(world, &third, USMP_TCP, "192.0.2.7:40001");
    simulated_device_send(third, "t=21.7", 6);
    world_run(world, 200000);

    trace_remark(world->trace, "the session over UDP is over: what it still says is not heard", world->now.monotonic);
    simulated_device_send(second, "t=21.8", 6);
    world_run(world, 600000);

    trace_remark(world->trace, "it hangs up", world->now.monotonic);
    simulated_device_close(third);
    world_run(world, 200000);
    world_command_free(lost);
    world_command_free(arrives);
}

static void play(void (*scene)(struct world *world), struct trace *trace)
{
    struct world *world = world_open(NULL, DEVICES);
    world->link.weather.delay_min = DELAY;
    world->link.weather.delay_max = DELAY;
    trace->start = world->now.monotonic;
    world->trace = trace;
    scene(world);
    world->trace = NULL;
    expect_events_paired(world);
    world_close(world);
}

static const struct {
    const char *name;
    void (*scene)(struct world *world);
} scenes[] = {
    {"replaced_session.txt", play_replaced_session},
};

static void goes_as_it_was_read(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof scenes / sizeof scenes[0]; index++) {
        char path[512];
        static char expected[65536];
        snprintf(path, sizeof path, "%s/traces/%s", USMPD_TEST_DATA_DIR, scenes[index].name);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        size_t size = fread(expected, 1, sizeof expected - 1, file);
        assert_int_equal(fclose(file), 0);
        expected[size] = 0;
        struct trace trace = {0};
        play(scenes[index].scene, &trace);
        if (strcmp(trace.text, expected) != 0)
            print_error("%s is now:\n%s", scenes[index].name, trace.text);
        assert_string_equal(trace.text, expected);
        trace_free(&trace);
    }
}

static int write_all(const char *folder)
{
    for (size_t index = 0; index < sizeof scenes / sizeof scenes[0]; index++) {
        char path[512];
        struct trace trace = {0};
        play(scenes[index].scene, &trace);
        snprintf(path, sizeof path, "%s/%s", folder, scenes[index].name);
        FILE *file = fopen(path, "w");
        if (file == NULL || fputs(trace.text, file) < 0 || fclose(file) != 0)
            return EXIT_FAILURE;
        trace_free(&trace);
    }
    return EXIT_SUCCESS;
}

int main(int argument_count, char **arguments)
{
    if (argument_count == 3 && strcmp(arguments[1], "--write") == 0)
        return write_all(arguments[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_as_it_was_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
