/* The gateway with strict devices of each era, in virtual time: nothing that it does leaves one of them stranded
 * (docs/protocol.md sections 4 and 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/guest.h"
#include "gateway/expect.h"

#define MILLISECOND UINT64_C(1000)
#define SECOND (1000 * MILLISECOND)
#define DOWNLINK "wire: {v1_downlink: true}\n"
#define COOKIES "wire: {v1_downlink: true, udp_cookie: always}\n"
#define GUESTS 24u

static struct guest guests[GUESTS];

static char *registry(void)
{
    static char text[4096];
    size_t size = (size_t)snprintf(text, sizeof text, "devices:\n");
    for (unsigned number = 1; number <= GUESTS; number++)
        size += (size_t)snprintf(text + size, sizeof text - size, "  '02:00:00:00:00:%02x': {psk: '" GUEST_PSK "'}\n",
                                 number);
    return text;
}

static const char *id_of(unsigned number)
{
    static char id[18];
    snprintf(id, sizeof id, "02:00:00:00:00:%02x", number);
    return id;
}

static size_t count_events(const struct world *world, enum seam_event_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < world->event_count; i++)
        count += world->events[i].event.kind == kind;
    return count;
}

/* Every era from `oldest` on that speaks this transport, one after the other in a world of its own. */
static void for_each_era(const char *config, enum strict_transport transport, const char *oldest,
                         void (*story)(struct world *world, struct guest *guest))
{
    const struct strict_era *end = strict_eras + strict_era_count;
    for (const struct strict_era *era = strict_era_find(oldest); era < end; era++) {
        if (transport == STRICT_UDP && !era->has_udp)
            continue;
        struct world *world = world_open(config, registry());
        guest_arrive(&guests[0], world, era->name, &strict_port_esp_idf, transport, 1);
        story(world, &guests[0]);
        guest_leave(&guests[0]);
        world_close(world);
    }
}

static void run(uint64_t microseconds)
{
    guests_run(guests, 1, microseconds);
}

static void expect_connected_for(uint64_t microseconds)
{
    run(microseconds);
    if (!strict_application_is_connected(&guests[0].application))
        fail_msg("era %s has no session; its last one, or its handshake, ended for reason %d",
                 guests[0].application.start.era->name, (int)guests[0].last_end);
}

static void expect_heard(const char *text, size_t count)
{
    assert_int_equal(guests[0].heard, count);
    assert_int_equal(guests[0].last_heard.size, strlen(text));
    assert_memory_equal(guests[0].last_heard.bytes, text, strlen(text));
}

static void says_and_hears(struct world *world, struct guest *guest)
{
    expect_connected_for(2 * SECOND);
    guest_say(guest, "up");
    run(2 * SECOND);
    expect_text(world, 1, id_of(1), "up");
    struct seam_command *command = world_send(world, id_of(1), "down");
    run(2 * SECOND);
    expect_heard("down", 1);
    expect_outcome(command,
                   guest->application.start.transport == STRICT_UDP ? SEAM_SENT_BY_DEVICE : SEAM_SENT_BY_SOCKET);
    expect_events(world, 2);
}

static void every_era_says_and_hears(void **state)
{
    (void)state;
    for_each_era(DOWNLINK, STRICT_TCP, "0.4.7", says_and_hears);
    for_each_era(DOWNLINK, STRICT_UDP, "0.5", says_and_hears);
}

static void every_era_takes_a_cookie(void **state)
{
    (void)state;
    for_each_era(COOKIES, STRICT_UDP, "0.6.0", says_and_hears);
}

static bool loses_first_hello_retry(void *context, const struct packet *packet)
{
    bool *lost = context;
    if (*lost || packet->to_gateway || packet->bytes[0] != 0xcd || packet->bytes[3] != STRICT_TYPE_HELLO_RETRY)
        return false;
    *lost = true;
    return true;
}

/* A device up to 1.2.2 that had the UTACK would wait for ever. */
static void loses_a_hello_retry(struct world *world, struct guest *guest)
{
    bool lost = false;
    world->link.loses = loses_first_hello_retry;
    world->link.context = &lost;
    (void)guest;
    expect_connected_for(3 * SECOND);
    assert_true(lost);
    assert_int_equal(guests[0].application.calls, 1);
}

static void a_lost_hello_retry_strands_nobody(void **state)
{
    (void)state;
    for_each_era(COOKIES, STRICT_UDP, "0.6.0", loses_a_hello_retry);
}

static void far_away(struct world *world, struct guest *guest)
{
    world->link.weather = (struct weather){.delay_min = 90 * MILLISECOND, .delay_max = 90 * MILLISECOND};
    says_and_hears(world, guest);
    assert_int_equal(guest->application.calls, 1);
}

static void at_the_end_of_a_long_way(void **state)
{
    (void)state;
    /* 0.5 cannot: it repeats after 100 ms, and its own copies bring what ends its handshake (README.md). */
    for_each_era(DOWNLINK, STRICT_UDP, "0.6.0", far_away);
    for_each_era(COOKIES, STRICT_UDP, "0.6.0", far_away);
}

/* It acknowledges seconds later. Up to 1.0.0 the repeats that came meanwhile keep it in its receive call until the
 * gateway has something new to say. */
static void busy_for_a_while(struct world *world, struct guest *guest)
{
    expect_connected_for(2 * SECOND);
    strict_application_be_busy(&guest->application, 5 * SECOND, world->now.monotonic);
    struct seam_command *command = world_send(world, id_of(1), "down");
    run(5 * SECOND - 10 * MILLISECOND);
    expect_pending(command);
    run(2 * SECOND);
    expect_heard("down", 1);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    command = world_send(world, id_of(1), "something new");
    run(2 * SECOND);
    expect_heard("something new", 2);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    guest_say(guest, "and on");
    run(2 * SECOND);
    expect_text(world, 1, id_of(1), "and on");
}

static void a_busy_device_is_waited_for(void **state)
{
    (void)state;
    for_each_era(DOWNLINK, STRICT_UDP, "0.6.0", busy_for_a_while);
}

static unsigned fragments_to_lose;

static bool loses_second_fragment(void *context, const struct packet *packet)
{
    (void)context;
    if (packet->to_gateway || packet->bytes[0] != 0xcd || packet->bytes[3] != STRICT_TYPE_DATA_FRAG ||
        packet->bytes[4] != 1 || fragments_to_lose == 0)
        return false;
    fragments_to_lose--;
    return true;
}

/* An Arduino has room for four fragments, and 300 ms for them from 1.1.0 on. */
static void long_message_with_a_loss(const char *era)
{
    char text[1801];
    memset(text, 'm', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct world *world = world_open(DOWNLINK, registry());
    guest_arrive(&guests[0], world, era, &strict_port_arduino, STRICT_UDP, 1);
    expect_connected_for(2 * SECOND);
    fragments_to_lose = 1;
    world->link.loses = loses_second_fragment;
    struct seam_command *command = world_send(world, id_of(1), text);
    run(2 * SECOND);
    assert_int_equal(fragments_to_lose, 0);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    assert_int_equal(guests[0].heard, 1);
    assert_int_equal(guests[0].last_heard.size, strlen(text));
    assert_int_equal(guests[0].sessions, 1);
    guest_leave(&guests[0]);
    world_close(world);
}

static void a_lost_fragment_is_repeated_in_time(void **state)
{
    (void)state;
    long_message_with_a_loss("1.1.0");
    long_message_with_a_loss("1.2.2");
    long_message_with_a_loss("1.3");
}

/* The gateway repeats a message of the former session while the device, back at the same port, shakes hands. */
static void resets_while_a_message_is_under_way(struct world *world, struct guest *guest)
{
    guest->keeps_port = true;
    expect_connected_for(2 * SECOND);
    guest_say(guest, "before");
    run(2 * SECOND);
    strict_application_be_busy(&guest->application, 60 * SECOND, world->now.monotonic);
    struct seam_command *command = world_send(world, id_of(1), "for the former session");
    run(1200 * MILLISECOND);
    guest->address.port--;
    guest_reset(guest);
    expect_connected_for(12 * SECOND);
    guest_say(guest, "after");
    run(2 * SECOND);
    assert_int_equal(count_events(world, SEAM_MESSAGE), 2);
    world_command_free(command);
}

static void a_reset_in_the_middle_of_a_message(void **state)
{
    (void)state;
    for_each_era("", STRICT_UDP, "0.6.0", resets_while_a_message_is_under_way);
}

static void changes_its_keys(struct world *world, struct guest *guest)
{
    if (!guest->application.start.era->has_rekey)
        return;
    expect_connected_for(2 * SECOND);
    for (unsigned i = 0; i < 5; i++) {
        struct seam_command *command = world_send(world, id_of(1), "down");
        run(50 * MILLISECOND);
        while (guest->application.device.operation != STRICT_IDLE)
            run(MILLISECOND);
        assert_int_equal(strict_device_rekey(&guest->application.device, world->now.monotonic), STRICT_BEGUN);
        run(3 * SECOND);
        expect_outcome(command, SEAM_SENT_BY_DEVICE);
        assert_true(guest->heard > i);
        guest_say(guest, "up");
        run(SECOND);
    }
    assert_int_equal(guest->sessions, 1);
    assert_int_equal(count_events(world, SEAM_MESSAGE), 5);
}

static void new_keys_with_a_message_under_way(void **state)
{
    (void)state;
    for_each_era("", STRICT_UDP, "0.6.0", changes_its_keys);
}

static void pings_by_itself(struct world *world, struct guest *guest)
{
    expect_connected_for(2 * SECOND);
    run(300 * SECOND);
    assert_true(strict_application_is_connected(&guest->application));
    assert_int_equal(guest->sessions, 1);
    expect_events(world, 1);
}

static void keepalives_keep_alive(void **state)
{
    (void)state;
    for_each_era(DOWNLINK, STRICT_TCP, "0.4.7", pings_by_itself);
    for_each_era(DOWNLINK, STRICT_UDP, "0.5", pings_by_itself);
}

/* Devices of all eras on a link that loses a fifth each way: they keep calling, and nine of ten are in within a minute
 * and a half. */
static void on_a_bad_link(void **state)
{
    (void)state;
    struct world *world = world_open(DOWNLINK, registry());
    world->link.weather = (struct weather){.loss = 200, .delay_min = 5 * MILLISECOND, .delay_max = 40 * MILLISECOND};
    size_t connected = 0;
    for (unsigned i = 0; i < GUESTS; i++) {
        const struct strict_era *era = &strict_eras[1 + i % (strict_era_count - 1)];
        const struct strict_port *port = i % 2 == 0 ? &strict_port_arduino : &strict_port_esp_idf;
        guest_arrive(&guests[i], world, era->name, port, STRICT_UDP, (uint8_t)(i + 1));
    }
    guests_run(guests, GUESTS, 90 * SECOND);
    for (unsigned i = 0; i < GUESTS; i++) {
        connected += guests[i].sessions > 0;
        if (guests[i].sessions == 0)
            print_message("%s %s: %u calls, last end %d\n", guests[i].application.start.era->name,
                          guests[i].application.start.port->name, guests[i].application.calls, (int)guests[i].last_end);
    }
    assert_true(connected * 10 >= GUESTS * 9);
    expect_events_paired(world);
    for (unsigned i = 0; i < GUESTS; i++)
        guest_leave(&guests[i]);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_era_says_and_hears),
        cmocka_unit_test(every_era_takes_a_cookie),
        cmocka_unit_test(a_lost_hello_retry_strands_nobody),
        cmocka_unit_test(at_the_end_of_a_long_way),
        cmocka_unit_test(a_busy_device_is_waited_for),
        cmocka_unit_test(a_lost_fragment_is_repeated_in_time),
        cmocka_unit_test(a_reset_in_the_middle_of_a_message),
        cmocka_unit_test(new_keys_with_a_message_under_way),
        cmocka_unit_test(keepalives_keep_alive),
        cmocka_unit_test(on_a_bad_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
