#include "proto/session_bench.h"

#include <string.h>

/* docs/protocol.md section 4: one frame in flight, the same bytes. */

static uint8_t message[USMP_MESSAGE_MAX];

static void begin_with_message(struct bench *bench, uint8_t version, size_t size)
{
    bench_begin_confirmed(bench, USMP_GATEWAY, version, USMP_UDP);
    assert_int_equal(usmp_session_send(&bench->session, message, size, bench->now), USMP_SEND_STARTED);
}

static void assert_last_two_equal(const struct bench *bench)
{
    const struct bench_sent *last = &bench->sent[bench->sent_count - 1];
    const struct bench_sent *before = last - 1;
    assert_int_equal(last->kind, USMP_SEND_FRAME);
    assert_int_equal(last->size, before->size);
    assert_memory_equal(last->bytes, before->bytes, last->size);
}

/* Advances without forgetting what was sent. */
static void repeat_after(struct bench *bench, uint64_t milliseconds)
{
    uint64_t due = usmp_session_deadline(&bench->session);
    assert_int_equal(due, bench->now + milliseconds * BENCH_MILLISECONDS);
    size_t before = bench->sent_count;
    bench->now = due;
    assert_int_equal(usmp_session_advance(&bench->session, bench->now), USMP_SESSION_NOTHING);
    assert_int_equal(bench->sent_count, before + 1);
    assert_last_two_equal(bench);
}

/* "repeat with back-off beyond five tries while the message's deadline and the session live" */
static void a_message_is_repeated_for_ever(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin_with_message(&bench, version, 100);
        repeat_after(&bench, 500);
        repeat_after(&bench, 1000);
        repeat_after(&bench, 2000);
        for (int more = 0; more < 20; more++)
            repeat_after(&bench, 4000);
        bench_ignore_sent(&bench);
        bench.sent_count = bench.seen_count = 0;
        for (int more = 0; more < 300; more++) { /* the counter of sends does not wrap around */
            bench.sent_count = 0;
            bench.now += 4000 * BENCH_MILLISECONDS;
            assert_int_equal(usmp_session_advance(&bench.session, bench.now), USMP_SESSION_NOTHING);
            assert_int_equal(bench.sent_count, 1);
            assert_int_equal(usmp_session_deadline(&bench.session), bench.now + 4000 * BENCH_MILLISECONDS);
        }
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
        bench_ignore_sent(&bench);
        bench_end(&bench);
    }
}

/* "Fragments 2–4 to a wire 2 device after 120–150 ms." */
static void further_fragments_to_wire_2_are_repeated_sooner(void **state)
{
    (void)state;
    struct bench bench;
    begin_with_message(&bench, USMP_WIRE_2, sizeof message);
    repeat_after(&bench, 500);
    for (uint32_t seq = 0; seq < 3; seq++) {
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, seq), USMP_SESSION_NOTHING);
        assert_int_equal(usmp_session_advance(&bench.session, bench.now), USMP_SESSION_NOTHING);
        repeat_after(&bench, 130);
        repeat_after(&bench, 260);
        repeat_after(&bench, 520);
        repeat_after(&bench, 1040);
        repeat_after(&bench, 2080);
        repeat_after(&bench, 4000);
        repeat_after(&bench, 4000);
    }
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 3), USMP_SESSION_SENT);
    bench_ignore_sent(&bench);
    bench_end(&bench);
}

/* "Towards a wire 1 device: […] never repeat sooner than 500 ms." */
static void no_fragment_to_wire_1_is_repeated_sooner_than_500_ms(void **state)
{
    (void)state;
    struct bench bench;
    begin_with_message(&bench, USMP_WIRE_1, sizeof message);
    /* What the ones before needed is kept. */
    static const uint64_t first_repeats[] = {500, 1000, 2000, 4000};
    for (uint32_t seq = 0; seq < 4; seq++) {
        repeat_after(&bench, first_repeats[seq]);
        assert_int_equal(bench_receive_utack(&bench, seq < 3 ? USMP_DATA_FRAG : USMP_DATA, seq),
                         seq < 3 ? USMP_SESSION_NOTHING : USMP_SESSION_SENT);
        if (seq < 3)
            assert_int_equal(usmp_session_advance(&bench.session, bench.now), USMP_SESSION_NOTHING);
    }
    bench_ignore_sent(&bench);
    bench_end(&bench);
}

static void send_pong_in_vain(struct bench *bench, uint8_t version)
{
    bench_begin_confirmed(bench, USMP_GATEWAY, version, USMP_UDP);
    assert_int_equal(bench_receive(bench, USMP_PING, 0, ""), USMP_SESSION_NOTHING);
    assert_int_equal(usmp_session_advance(&bench->session, bench->now), USMP_SESSION_NOTHING);
    repeat_after(bench, 500);
    repeat_after(bench, 1000);
    repeat_after(bench, 2000);
    repeat_after(bench, 4000);
    bench_ignore_sent(bench);
}

static void a_pong_is_dropped_after_five_sends(void **state)
{
    (void)state;
    struct bench bench;
    send_pong_in_vain(&bench, USMP_WIRE_2);
    assert_int_equal(bench_advance_to_deadline(&bench, 4 * BENCH_SECONDS), USMP_SESSION_NOTHING);
    assert_int_equal(bench_receive_utack(&bench, USMP_PONG, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    /* Its seq is used up. */
    assert_int_equal(usmp_session_send(&bench.session, message, 1, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, message, 1);
    bench_end(&bench);
}

static void giving_up_on_wire_1_ends_the_session(void **state)
{
    (void)state;
    struct bench bench;
    send_pong_in_vain(&bench, USMP_WIRE_1);
    assert_int_equal(bench_advance_to_deadline(&bench, 4 * BENCH_SECONDS), USMP_SESSION_OVER);
    assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
    assert_int_equal(bench.session.end, USMP_END_GIVEN_UP);
    bench_end(&bench);
}

static void the_next_pong_follows_one_that_was_given_up(void **state)
{
    (void)state;
    struct bench bench;
    send_pong_in_vain(&bench, USMP_WIRE_2);
    assert_int_equal(bench_receive(&bench, USMP_PING, 1, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PING, 1);
    assert_int_equal(bench_advance_to_deadline(&bench, 4 * BENCH_SECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_PONG, 1, "");
    bench_end(&bench);
}

static void early_calls_are_harmless(void **state)
{
    (void)state;
    struct bench bench;
    begin_with_message(&bench, USMP_WIRE_2, 1);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 1);
    for (int call = 0; call < 10; call++) {
        bench.now += 40 * BENCH_MILLISECONDS;
        assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    }
    bench_assert_silence(&bench);
    assert_int_equal(bench_advance_to_deadline(&bench, 100 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 1);
    bench_end(&bench);
}

static void over_tcp_nothing_is_repeated(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    assert_int_equal(usmp_session_send(&bench.session, message, 1, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 1);
    bench.now += 100 * BENCH_SECONDS;
    assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    bench_end(&bench);
}

static int setup(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof message; index++)
        message[index] = (uint8_t)(index ^ index >> 8);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_repeated_for_ever),
        cmocka_unit_test(further_fragments_to_wire_2_are_repeated_sooner),
        cmocka_unit_test(no_fragment_to_wire_1_is_repeated_sooner_than_500_ms),
        cmocka_unit_test(a_pong_is_dropped_after_five_sends),
        cmocka_unit_test(giving_up_on_wire_1_ends_the_session),
        cmocka_unit_test(the_next_pong_follows_one_that_was_given_up),
        cmocka_unit_test(early_calls_are_harmless),
        cmocka_unit_test(over_tcp_nothing_is_repeated),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
