/* The main cases, played in virtual time and compared with tests/data/traces, line by line. What is there was read
 * against docs/protocol.md; it changes only by
 *
 *     test_simulation_traces --write FOLDER
 *
 * and has to be read again then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "simulation/world.h"

/* Not the same in both directions: on wire 1 that would look like a frame of one's own, sent back. */
static uint8_t thousand_up[1000];
static uint8_t thousand_down[1000];

static const struct link_conditions good = {10 * WORLD_MILLISECONDS, 10 * WORLD_MILLISECONDS, 0, 0};

static void device_says(struct world *world, const char *text)
{
    device_end_send(&world->device, (const uint8_t *)text, strlen(text), world->now);
}

static void gateway_says(struct world *world, const char *text)
{
    gateway_end_send(&world->gateway, (const uint8_t *)text, strlen(text), world->now);
}

static void connect_ends(struct world *world)
{
    device_end_connect(&world->device, world->now);
    world_run_until(world, 1 * WORLD_SECONDS);
}

static void play_plain(struct world *world)
{
    connect_ends(world);
    device_says(world, "hello");
    world_run_until(world, 2 * WORLD_SECONDS);
    device_end_send(&world->device, thousand_up, sizeof thousand_up, world->now);
    world_run_until(world, 3 * WORLD_SECONDS);
    gateway_says(world, "down");
    world_run_until(world, 4 * WORLD_SECONDS);
    gateway_end_send(&world->gateway, thousand_down, sizeof thousand_down, world->now);
    world_run_until(world, 5 * WORLD_SECONDS);
    device_end_ping(&world->device, world->now);
    world_run_until(world, 6 * WORLD_SECONDS);
    device_end_close(&world->device, world->now);
    world_run_until(world, 10 * WORLD_SECONDS);
}

static void play_close_by_gateway(struct world *world)
{
    connect_ends(world);
    gateway_says(world, "down");
    world_run_until(world, 2 * WORLD_SECONDS);
    gateway_end_close(&world->gateway, world->now);
    world_run_until(world, 10 * WORLD_SECONDS);
}

static void play_lost_utack(struct world *world)
{
    connect_ends(world);
    link_lose_next_utack(&world->link, LINK_TO_DEVICE, USMP_DATA);
    device_says(world, "again");
    world_run_until(world, 3 * WORLD_SECONDS);
    link_lose_next_utack(&world->link, LINK_TO_GATEWAY, USMP_DATA);
    gateway_says(world, "down again");
    world_run_until(world, 5 * WORLD_SECONDS);
}

static void play_lost_session_ok(struct world *world)
{
    link_lose_next_frame(&world->link, LINK_TO_DEVICE, USMP_SESSION_OK);
    connect_ends(world);
    device_says(world, "hello");
    world_run_until(world, 3 * WORLD_SECONDS);
}

/* The device has it and the gateway does not know: the first frame that opens tells. */
static void play_lost_utack_of_session_ok(struct world *world)
{
    for (int loss = 0; loss < 3; loss++)
        link_lose_next_utack(&world->link, LINK_TO_GATEWAY, USMP_SESSION_OK);
    connect_ends(world);
    device_says(world, "hello");
    world_run_until(world, 2 * WORLD_SECONDS);
    gateway_says(world, "down");
    world_run_until(world, 3 * WORLD_SECONDS);
}

static void play_lost_utack_of_hello_ack(struct world *world)
{
    link_lose_next_utack(&world->link, LINK_TO_DEVICE, USMP_HELLO_ACK);
    link_lose_next_frame(&world->link, LINK_TO_DEVICE, USMP_SESSION_OK);
    link_lose_next_frame(&world->link, LINK_TO_DEVICE, USMP_CHALLENGE);
    device_end_connect(&world->device, world->now);
    world_run_until(world, 3 * WORLD_SECONDS);
}

static void play_fragments(struct world *world)
{
    connect_ends(world);
    link_lose_next_frame(&world->link, LINK_TO_GATEWAY, USMP_DATA);
    link_lose_next_utack(&world->link, LINK_TO_DEVICE, USMP_DATA_FRAG);
    device_end_send(&world->device, thousand_up, sizeof thousand_up, world->now);
    world_run_until(world, 4 * WORLD_SECONDS);
    link_lose_next_frame(&world->link, LINK_TO_DEVICE, USMP_DATA);
    link_lose_next_utack(&world->link, LINK_TO_GATEWAY, USMP_DATA_FRAG);
    gateway_end_send(&world->gateway, thousand_down, sizeof thousand_down, world->now);
    world_run_until(world, 6 * WORLD_SECONDS);
}

/* PONG waits for the message; the message that is cut short is fenced off. */
static void play_cancelled_fragments(struct world *world)
{
    connect_ends(world);
    gateway_end_send(&world->gateway, thousand_down, sizeof thousand_down, world->now);
    for (int loss = 0; loss < 8; loss++)
        link_lose_next_frame(&world->link, LINK_TO_DEVICE, USMP_DATA);
    world_run_for(world, 5 * WORLD_MILLISECONDS);
    device_end_ping(&world->device, world->now);
    world_run_until(world, 1500 * WORLD_MILLISECONDS);
    gateway_end_cancel(&world->gateway, world->now);
    world_run_until(world, 3 * WORLD_SECONDS);
    world->link.loss_count = 0;
    gateway_says(world, "next");
    world_run_until(world, 4 * WORLD_SECONDS);
}

static void play_rekey(struct world *world)
{
    connect_ends(world);
    gateway_says(world, "before");
    world_run_until(world, 2 * WORLD_SECONDS);
    link_lose_next_utack(&world->link, LINK_TO_DEVICE, USMP_REKEY);
    device_end_rekey(&world->device, world->now);
    world_run_until(world, 4 * WORLD_SECONDS);
    device_says(world, "after");
    world_run_until(world, 5 * WORLD_SECONDS);
    gateway_says(world, "after, too");
    world_run_until(world, 6 * WORLD_SECONDS);
}

static void play_rekey_over_tcp(struct world *world)
{
    connect_ends(world);
    device_says(world, "before");
    gateway_says(world, "before");
    world_run_until(world, 2 * WORLD_SECONDS);
    device_end_rekey(&world->device, world->now);
    device_says(world, "after");
    world_run_until(world, 3 * WORLD_SECONDS);
    gateway_says(world, "after, too");
    world_run_until(world, 4 * WORLD_SECONDS);
}

/* REKEY crosses messages of the gateway: one that has arrived and one that has not. */
static void play_rekey_in_flight(struct world *world)
{
    connect_ends(world);
    device_end_rekey(&world->device, world->now);
    gateway_says(world, "arrives");
    world_run_until(world, 3 * WORLD_SECONDS);
    device_says(world, "up");
    world_run_until(world, 4 * WORLD_SECONDS);
    link_lose_next_frame(&world->link, LINK_TO_DEVICE, USMP_DATA);
    gateway_says(world, "is lost");
    device_end_rekey(&world->device, world->now);
    world_run_until(world, 7 * WORLD_SECONDS);
    link_lose_next_frame(&world->link, LINK_TO_DEVICE, USMP_DATA);
    gateway_end_send(&world->gateway, thousand_down, sizeof thousand_down, world->now);
    world_run_for(world, 60 * WORLD_MILLISECONDS);
    device_end_rekey(&world->device, world->now);
    world_run_until(world, 10 * WORLD_SECONDS);
}

static void play_cookie(struct world *world)
{
    connect_ends(world);
    device_says(world, "hello");
    world_run_until(world, 2 * WORLD_SECONDS);
}

static void play_lost_hello_retry(struct world *world)
{
    link_lose_next_frame(&world->link, LINK_TO_DEVICE, USMP_HELLO_RETRY);
    device_end_connect(&world->device, world->now);
    world_run_until(world, 3 * WORLD_SECONDS);
}

static enum application_answer refuse_then_defer(void *context, uint64_t now, uint64_t *settle_at)
{
    int *offers = context;
    *settle_at = now + 1500 * WORLD_MILLISECONDS;
    return (*offers)++ == 0 ? APPLICATION_REFUSES : APPLICATION_DEFERS;
}

static void play_no_room(struct world *world)
{
    int offers = 0;
    world->gateway.application.context = &offers;
    world->gateway.application.offered = refuse_then_defer;
    connect_ends(world);
    device_says(world, "wait");
    world_run_until(world, 5 * WORLD_SECONDS);
}

static void play_another_port(struct world *world)
{
    connect_ends(world);
    device_says(world, "here");
    world_run_until(world, 2 * WORLD_SECONDS);
    device_end_change_port(&world->device, world->now);
    gateway_says(world, "where");
    world_run_until(world, 2800 * WORLD_MILLISECONDS);
    device_says(world, "there");
    world_run_until(world, 5 * WORLD_SECONDS);
}

/* A device that restarts without a word: newest wins. */
static void play_replaced(struct world *world)
{
    connect_ends(world);
    gateway_says(world, "to the old one");
    device_end_connect(&world->device, world->now);
    world_run_until(world, 3 * WORLD_SECONDS);
    device_says(world, "I am new");
    world_run_until(world, 4 * WORLD_SECONDS);
}

/* docs/protocol.md section 3: found by trial. */
static void play_chacha(struct world *world)
{
    connect_ends(world);
    device_says(world, "hello");
    world_run_until(world, 2 * WORLD_SECONDS);
    gateway_says(world, "down");
    world_run_until(world, 3 * WORLD_SECONDS);
}

struct scenario {
    const char *name;
    uint8_t version;
    enum usmp_transport transport;
    bool ask_cookie;
    enum usmp_cipher device_cipher;
    void (*play)(struct world *world);
};

static const struct scenario scenarios[] = {
    {"plain-wire-1-tcp", USMP_WIRE_1, USMP_TCP, false, USMP_CIPHER_AUTO, play_plain},
    {"plain-wire-2-tcp", USMP_WIRE_2, USMP_TCP, false, USMP_CIPHER_AUTO, play_plain},
    {"plain-wire-1-udp", USMP_WIRE_1, USMP_UDP, false, USMP_CIPHER_AUTO, play_plain},
    {"plain-wire-2-udp", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_plain},
    {"close-by-gateway-tcp", USMP_WIRE_2, USMP_TCP, false, USMP_CIPHER_AUTO, play_close_by_gateway},
    {"close-by-gateway-udp", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_close_by_gateway},
    {"lost-utack-wire-1", USMP_WIRE_1, USMP_UDP, false, USMP_CIPHER_AUTO, play_lost_utack},
    {"lost-utack-wire-2", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_lost_utack},
    {"lost-session-ok", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_lost_session_ok},
    {"lost-utack-of-session-ok", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_lost_utack_of_session_ok},
    {"lost-utack-of-hello-ack", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_lost_utack_of_hello_ack},
    {"fragments-wire-1", USMP_WIRE_1, USMP_UDP, false, USMP_CIPHER_AUTO, play_fragments},
    {"fragments-wire-2", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_fragments},
    {"cancelled-fragments", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_cancelled_fragments},
    {"rekey-tcp", USMP_WIRE_2, USMP_TCP, false, USMP_CIPHER_AUTO, play_rekey_over_tcp},
    {"rekey-udp", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_rekey},
    {"rekey-in-flight", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_rekey_in_flight},
    {"cookie", USMP_WIRE_2, USMP_UDP, true, USMP_CIPHER_AUTO, play_cookie},
    {"lost-hello-retry", USMP_WIRE_2, USMP_UDP, true, USMP_CIPHER_AUTO, play_lost_hello_retry},
    {"no-room", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_no_room},
    {"another-port", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_another_port},
    {"replaced", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_AUTO, play_replaced},
    {"chacha20-poly1305", USMP_WIRE_2, USMP_UDP, false, USMP_CIPHER_CHACHA20_POLY1305, play_chacha},
};

#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

static struct world world;

static void play(const struct scenario *scenario)
{
    for (size_t index = 0; index < sizeof thousand_up; index++) {
        thousand_up[index] = (uint8_t)('a' + index % 26);
        thousand_down[index] = (uint8_t)('z' - index % 26);
    }
    world_begin(&world, &(struct world_settings){
                            .seed = 1,
                            .version = scenario->version,
                            .transport = scenario->transport,
                            .conditions = good,
                            .ask_cookie = scenario->ask_cookie,
                            .device_cipher = scenario->device_cipher,
                        });
    scenario->play(&world);
}

static void path_of(const struct scenario *scenario, const char *folder, char *path, size_t room)
{
    assert_true((size_t)snprintf(path, room, "%s/%s.txt", folder, scenario->name) < room);
}

static char *read_golden(const struct scenario *scenario)
{
    char path[512];
    path_of(scenario, USMPD_TEST_DATA_DIR "/traces", path, sizeof path);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    size_t size = fread(text, 1, (1 << 20) - 1, file);
    assert_true(size > 0 && feof(file));
    fclose(file);
    return text;
}

static void compare(const struct scenario *scenario, const char *seen, const char *golden)
{
    for (int line = 1; *seen != '\0' || *golden != '\0'; line++) {
        int seen_length = (int)strcspn(seen, "\n");
        int golden_length = (int)strcspn(golden, "\n");
        if (seen_length != golden_length || strncmp(seen, golden, (size_t)seen_length) != 0)
            fail_msg("%s.txt line %d is\n%.*s\nbut now\n%.*s", scenario->name, line, golden_length, golden, seen_length,
                     seen);
        seen += seen_length + (seen[seen_length] == '\n');
        golden += golden_length + (golden[golden_length] == '\n');
    }
}

static void it_goes_as_written(void **state)
{
    const struct scenario *scenario = *state;
    play(scenario);
    char *golden = read_golden(scenario);
    compare(scenario, world.trace.text, golden);
    free(golden);
    world_end(&world);
}

static int write_all(const char *folder)
{
    for (size_t index = 0; index < SCENARIOS; index++) {
        char path[512];
        path_of(&scenarios[index], folder, path, sizeof path);
        FILE *file = fopen(path, "we");
        if (file == NULL) {
            perror(path);
            return EXIT_FAILURE;
        }
        play(&scenarios[index]);
        fputs(world.trace.text, file);
        world_end(&world);
        if (fclose(file) != 0) {
            perror(path);
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}

int main(int argument_count, char **arguments)
{
    if (argument_count == 3 && strcmp(arguments[1], "--write") == 0)
        return write_all(arguments[2]);
    struct CMUnitTest tests[SCENARIOS];
    for (size_t index = 0; index < SCENARIOS; index++)
        tests[index] = (struct CMUnitTest){
            .name = scenarios[index].name,
            .test_func = it_goes_as_written,
            .initial_state = (void *)(uintptr_t)&scenarios[index],
        };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
