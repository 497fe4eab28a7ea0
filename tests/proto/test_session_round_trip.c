#include "proto/rekey_bench.h"

/* docs/protocol.md section 4, "Repeats of ours": when the first repeat of a frame comes. */

static void begin(struct bench *bench, uint8_t version)
{
    bench_begin_confirmed(bench, USMP_GATEWAY, version, USMP_UDP);
}

static void send_message(struct bench *bench, size_t size)
{
    rekey_send_message(bench, size);
    bench_ignore_sent(bench);
}

static uint64_t time_until_repeat(const struct bench *bench)
{
    return usmp_session_deadline(&bench->session) - bench->now;
}

static void repeat(struct bench *bench)
{
    bench->now = usmp_session_deadline(&bench->session);
    assert_int_equal(bench_advance(bench), USMP_SESSION_NOTHING);
    bench_ignore_sent(bench);
}

/* A message of one frame that is acknowledged after so many milliseconds, at its first send. */
static void measure(struct bench *bench, uint32_t seq, uint64_t milliseconds)
{
    send_message(bench, 3);
    assert_true(time_until_repeat(bench) > milliseconds * BENCH_MILLISECONDS);
    bench->now += milliseconds * BENCH_MILLISECONDS;
    assert_int_equal(bench_receive_utack(bench, USMP_DATA, seq), USMP_SESSION_SENT);
}

static void a_slow_device_is_waited_for(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        measure(&bench, 0, 400);
        send_message(&bench, 3);
        assert_int_equal(time_until_repeat(&bench), 1200 * BENCH_MILLISECONDS);
        bench_end(&bench);
    }
}

/* "nothing repeated within 500 ms" to a wire 1 device, whatever was measured. */
static void a_fast_device_hears_the_repeat_sooner_but_on_wire_1(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        for (uint32_t seq = 0; seq < 10; seq++)
            measure(&bench, seq, 5);
        send_message(&bench, 3);
        assert_int_equal(time_until_repeat(&bench), (version == USMP_WIRE_1 ? 500 : 200) * BENCH_MILLISECONDS);
        bench_end(&bench);
    }
}

/* Karn: nobody knows which of two equal datagrams was answered. What the repeats took stays until one is not repeated:
 * a device that always takes 700 ms would otherwise never be measured. */
static void what_was_repeated_is_no_measurement(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    send_message(&bench, 3);
    repeat(&bench);
    bench.now += 200 * BENCH_MILLISECONDS;
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
    send_message(&bench, 3);
    assert_int_equal(time_until_repeat(&bench), 1000 * BENCH_MILLISECONDS); /* 500 ms, doubled once */
    bench.now += 700 * BENCH_MILLISECONDS;
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 1), USMP_SESSION_SENT);
    send_message(&bench, 3);
    assert_int_equal(time_until_repeat(&bench), 2100 * BENCH_MILLISECONDS); /* 700 + 4 × 350, not doubled */
    bench_end(&bench);
}

static void doublings_do_not_grow_for_ever(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    for (uint32_t seq = 0; seq < 100; seq++) {
        send_message(&bench, 3);
        for (int count = 0; count < 3; count++)
            repeat(&bench);
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA, seq), USMP_SESSION_SENT);
    }
    send_message(&bench, 3);
    assert_int_equal(time_until_repeat(&bench), 4000 * BENCH_MILLISECONDS);
    bench_end(&bench);
}

/* "Fragments after the first to a wire 2 device are repeated after 130 ms": it has no more time for them. */
static void further_fragments_are_hurried_whatever_was_measured(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    measure(&bench, 0, 400);
    send_message(&bench, 1000);
    assert_int_equal(time_until_repeat(&bench), 1200 * BENCH_MILLISECONDS);
    repeat(&bench);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 1), USMP_SESSION_NOTHING);
    repeat(&bench);
    assert_int_equal(time_until_repeat(&bench), 130 * BENCH_MILLISECONDS);
    repeat(&bench);
    assert_int_equal(time_until_repeat(&bench), 260 * BENCH_MILLISECONDS);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 2), USMP_SESSION_NOTHING);
    repeat(&bench);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 3), USMP_SESSION_SENT);
    /* The third was acknowledged at once: 400 × 7/8, and 3/4 × 200 + 1/4 × 400. */
    send_message(&bench, 3);
    assert_in_range(time_until_repeat(&bench), 1349 * BENCH_MILLISECONDS, 1351 * BENCH_MILLISECONDS);
    bench_end(&bench);
}

/* They are hurried because of the device's reading, so their repeats say nothing about the time-out. */
static void what_hurried_fragments_needed_is_not_kept(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    measure(&bench, 0, 400);
    send_message(&bench, 600);
    bench.now += 400 * BENCH_MILLISECONDS;
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 1), USMP_SESSION_NOTHING);
    repeat(&bench); /* the next fragment leaves */
    repeat(&bench);
    repeat(&bench);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 2), USMP_SESSION_SENT);
    /* 400 + 4 × 150: the second measurement of 400 ms, and nothing doubled. */
    send_message(&bench, 3);
    assert_int_equal(time_until_repeat(&bench), 1000 * BENCH_MILLISECONDS);
    bench_end(&bench);
}

/* While it waits for the UTACK of its old key, a frame's time is another. */
static void what_a_rekey_stopped_is_no_measurement(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    measure(&bench, 0, 400);
    send_message(&bench, 3);
    const struct usmp_keys old = bench.keys;
    rekey_receive(&bench, 0);
    bench.now += 10 * BENCH_MILLISECONDS;
    assert_int_equal(rekey_receive_utack_under(&bench, &old, USMP_DATA, 1), USMP_SESSION_SENT);
    send_message(&bench, 3);
    assert_int_equal(time_until_repeat(&bench), 1200 * BENCH_MILLISECONDS);
    bench_end(&bench);
}

/* On wire 1 anybody can make a UTACK, also for a frame that is held back. */
static void what_has_not_left_is_no_measurement(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_1);
    usmp_session_pause(&bench.session, true, bench.now);
    usmp_session_close(&bench.session, bench.now);
    bench_assert_silence(&bench);
    assert_int_equal(bench_receive_utack(&bench, USMP_BYE, 0), USMP_SESSION_OVER);
    bench_end(&bench);
}

/* The longest that can be measured is the longest time-out. */
static void a_pause_makes_a_long_measurement_at_most(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    send_message(&bench, 3);
    usmp_session_pause(&bench.session, true, bench.now);
    bench.now += 100 * BENCH_SECONDS;
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
    usmp_session_pause(&bench.session, false, bench.now);
    send_message(&bench, 3);
    assert_int_equal(time_until_repeat(&bench), 4000 * BENCH_MILLISECONDS);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_device_is_waited_for),
        cmocka_unit_test(a_fast_device_hears_the_repeat_sooner_but_on_wire_1),
        cmocka_unit_test(what_was_repeated_is_no_measurement),
        cmocka_unit_test(doublings_do_not_grow_for_ever),
        cmocka_unit_test(further_fragments_are_hurried_whatever_was_measured),
        cmocka_unit_test(what_hurried_fragments_needed_is_not_kept),
        cmocka_unit_test(what_a_rekey_stopped_is_no_measurement),
        cmocka_unit_test(what_has_not_left_is_no_measurement),
        cmocka_unit_test(a_pause_makes_a_long_measurement_at_most),
    };
    return cmocka_run_group_tests(tests, rekey_setup, NULL);
}
