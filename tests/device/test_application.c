/* The program on a strict device: its main loop, its PINGs, and when it calls again (docs/protocol.md section 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "device/application.h"
#include "device/bench.h"

static struct strict_application application;
static struct strict_application_owner owner;
static struct bench gateway; /* its device is not used: what the application sends comes here */
static unsigned dialled;
static uint64_t now;

static void note_dial(void *context)
{
    (void)context;
    dialled++;
}

static void start(const char *era, const struct strict_port *port, enum strict_transport transport)
{
    bench_open(&gateway, era, port, transport);
    gateway.start.socket_queue = 1;
    owner = (struct strict_application_owner){&gateway, gateway.owner.send, gateway.owner.random, note_dial,
                                              gateway.owner.tell};
    now = BENCH_START;
    dialled = 0;
    strict_application_start(&application, &owner, &gateway.start, now);
    assert_int_equal(dialled, 1);
}

static void wait_for(uint64_t microseconds)
{
    uint64_t end = now + microseconds;
    while (strict_application_deadline(&application) <= end) {
        now = strict_application_deadline(&application);
        strict_application_advance(&application, now);
    }
    now = end;
}

static void give(const struct bench_sent *frame)
{
    strict_application_datagram(&application, frame->bytes, frame->size, now);
}

static void give_utack(uint8_t type, uint32_t seq, const uint8_t *key)
{
    struct bench_sent utack = {.size = key == NULL ? STRICT_UTACK_PLAIN : STRICT_UTACK_FULL};
    strict_utack_write(type, seq, utack.bytes);
    if (key != NULL)
        strict_utack_mac(key, utack.bytes, utack.bytes + STRICT_UTACK_PLAIN);
    give(&utack);
}

static void shake_hands(void)
{
    struct bench_sent kept;
    struct bench_sent answer;
    strict_application_dialled(&application, true, now);
    struct strict_frame hello = bench_take_frame(&gateway, &kept, STRICT_TYPE_HELLO);
    give_utack(STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_make_challenge(&gateway, &hello, &answer);
    give(&answer);
    bench_take(&gateway);
    give_utack(STRICT_TYPE_HELLO_ACK, bench_take_frame(&gateway, &kept, STRICT_TYPE_HELLO_ACK).seq, NULL);
    bench_make_session_ok(&gateway, &answer);
    give(&answer);
    assert_true(strict_application_is_connected(&application));
    gateway.keys = application.device.keys;
    gateway.seq = 0;
    bench_forget(&gateway);
}

/* It calls again so many milliseconds after each failure. */
static void expect_schedule(const struct strict_port *port, const unsigned *milliseconds, size_t count)
{
    start("1.2.2", port, STRICT_TCP);
    for (size_t i = 0; i < count; i++) {
        unsigned before = dialled;
        strict_application_dialled(&application, false, now);
        if (milliseconds[i] > 0) {
            wait_for(MILLISECONDS(milliseconds[i]) - 1);
            assert_int_equal(dialled, before);
            wait_for(1);
        } else {
            wait_for(0);
        }
        assert_int_equal(dialled, before + 1);
    }
}

static void an_arduino_calls_at_once_and_then_later_and_later(void **state)
{
    (void)state;
    static const unsigned schedule[] = {0, 4000, 8000, 16000, 32000, 32000};
    expect_schedule(&strict_port_arduino, schedule, sizeof schedule / sizeof schedule[0]);
}

static void an_esp_idf_begins_with_two_seconds(void **state)
{
    (void)state;
    static const unsigned schedule[] = {2000, 4000, 8000, 16000, 32000, 60000, 60000};
    expect_schedule(&strict_port_esp_idf, schedule, sizeof schedule / sizeof schedule[0]);
}

static void a_session_begins_the_schedule_anew(void **state)
{
    (void)state;
    struct bench_sent bye;
    start("1.2.2", &strict_port_esp_idf, STRICT_UDP);
    strict_application_dialled(&application, false, now);
    wait_for(MILLISECONDS(2000));
    strict_application_dialled(&application, false, now);
    wait_for(MILLISECONDS(4000));
    shake_hands();
    bench_make_sealed(&gateway, STRICT_TYPE_BYE, 0, NULL, 0, &bye);
    give(&bye);
    wait_for(MILLISECONDS(100));
    assert_false(strict_application_is_connected(&application));
    unsigned before = dialled;
    wait_for(MILLISECONDS(2000));
    assert_int_equal(dialled, before + 1);
}

static void nobody_answers_its_hello(void **state)
{
    (void)state;
    start("1.1.0", &strict_port_arduino, STRICT_UDP);
    strict_application_dialled(&application, true, now);
    wait_for(MILLISECONDS(2500));
    assert_int_equal(gateway.sent_count, 5);
    assert_int_equal(gateway.events[gateway.event_count - 1].kind, STRICT_OVER);
    assert_int_equal(gateway.events[gateway.event_count - 1].end, STRICT_END_GAVE_UP);
    assert_int_equal(dialled, 2);
}

static void it_pings_by_its_own_clock(void **state)
{
    (void)state;
    struct bench_sent kept;
    start("1.2.2", &strict_port_arduino, STRICT_UDP);
    shake_hands();
    wait_for(MILLISECONDS(29990));
    bench_expect_silence(&gateway);
    wait_for(MILLISECONDS(20));
    bench_take_frame(&gateway, &kept, STRICT_TYPE_PING);
    bench_expect_silence(&gateway);
}

static void it_reads_in_its_turn(void **state)
{
    (void)state;
    struct bench_sent frame;
    start("1.2.2", &strict_port_esp_idf, STRICT_UDP);
    shake_hands();
    wait_for(MILLISECONDS(150)); /* the loop turns each 100 ms */
    bench_make_sealed(&gateway, STRICT_TYPE_DATA, 0, "down", 4, &frame);
    give(&frame);
    wait_for(MILLISECONDS(49));
    bench_expect_silence(&gateway);
    wait_for(MILLISECONDS(1));
    bench_expect_utack(&gateway, STRICT_TYPE_DATA, 0, gateway.keys.receive);
    assert_int_equal(bench_expect_event(&gateway, STRICT_MESSAGE).size, 4);
}

static void while_it_is_busy_it_does_not(void **state)
{
    (void)state;
    struct bench_sent frame;
    start("1.2.2", &strict_port_esp_idf, STRICT_UDP);
    shake_hands();
    strict_application_be_busy(&application, MILLISECONDS(4000), now);
    assert_true(strict_application_post(&application, (const uint8_t *)"up", 2));
    bench_make_sealed(&gateway, STRICT_TYPE_DATA, 0, "down", 4, &frame);
    give(&frame);
    wait_for(MILLISECONDS(3999));
    bench_expect_silence(&gateway);
    wait_for(MILLISECONDS(1));
    bench_expect_utack(&gateway, STRICT_TYPE_DATA, 0, gateway.keys.receive);
    wait_for(MILLISECONDS(100));
    bench_take_frame(&gateway, &frame, STRICT_TYPE_DATA);
}

static void what_waits_goes_out_in_the_next_session(void **state)
{
    (void)state;
    struct bench_sent kept;
    start("1.2.2", &strict_port_arduino, STRICT_UDP);
    assert_true(strict_application_post(&application, (const uint8_t *)"first", 5));
    assert_true(strict_application_post(&application, (const uint8_t *)"second", 6));
    shake_hands();
    wait_for(MILLISECONDS(20000));
    assert_false(strict_application_is_connected(&application));
    assert_int_equal(application.post_count, 1);
    bench_forget(&gateway);
    shake_hands();
    wait_for(MILLISECONDS(10));
    assert_int_equal(bench_take_frame(&gateway, &kept, STRICT_TYPE_DATA).size, 6 + STRICT_SEALED_EXTRA);
}

static void posts_are_bounded(void **state)
{
    (void)state;
    uint8_t long_one[STRICT_MESSAGE_MAX + 1] = {0};
    start("1.2.2", &strict_port_arduino, STRICT_UDP);
    assert_false(strict_application_post(&application, long_one, sizeof long_one));
    for (unsigned i = 0; i < STRICT_POSTS_MAX; i++)
        assert_true(strict_application_post(&application, long_one, sizeof long_one - 1));
    assert_false(strict_application_post(&application, long_one, 1));
}

static void one_that_stops_says_bye_and_stays_away(void **state)
{
    (void)state;
    struct bench_sent kept;
    start("1.2.2", &strict_port_arduino, STRICT_UDP);
    shake_hands();
    strict_application_stop(&application);
    wait_for(MILLISECONDS(10));
    bench_take_frame(&gateway, &kept, STRICT_TYPE_BYE);
    give_utack(STRICT_TYPE_BYE, 0, gateway.keys.send);
    wait_for(MILLISECONDS(3600000));
    assert_int_equal(dialled, 1);
    assert_int_equal(application.state, STRICT_APPLICATION_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arduino_calls_at_once_and_then_later_and_later),
        cmocka_unit_test(an_esp_idf_begins_with_two_seconds),
        cmocka_unit_test(a_session_begins_the_schedule_anew),
        cmocka_unit_test(nobody_answers_its_hello),
        cmocka_unit_test(it_pings_by_its_own_clock),
        cmocka_unit_test(it_reads_in_its_turn),
        cmocka_unit_test(while_it_is_busy_it_does_not),
        cmocka_unit_test(what_waits_goes_out_in_the_next_session),
        cmocka_unit_test(posts_are_bounded),
        cmocka_unit_test(one_that_stops_says_bye_and_stays_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
