#include "proto/session_bench.h"

#include <string.h>

#include <usmp/handshake_messages.h>

/* docs/protocol.md section 3 (UDP) and the rows of section 4's table that concern frames of a live session. */

static void begin(struct bench *bench, uint8_t version)
{
    bench_begin_confirmed(bench, USMP_GATEWAY, version, USMP_UDP);
}

static void what_was_accepted_is_acknowledged_again(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        bench_deliver(&bench, 0, "once");
        assert_true(bench.session.fresh);
        assert_true(bench.session.newest);
        for (int copy = 0; copy < 3; copy++) {
            assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
            bench_assert_utack(&bench, USMP_DATA, 0);
            assert_false(bench.session.fresh);
            assert_false(bench.session.newest);
        }
        bench_end(&bench);
    }
}

/* "accepted before, or too old: yes, if its tag verifies" */
static void a_copy_with_a_wrong_tag_is_not_acknowledged(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        bench_deliver(&bench, 0, "once");
        const struct usmp_keys right = bench.keys;
        bench.keys.device_to_gateway[7] ^= 1;
        assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "once"), USMP_SESSION_NOT_AUTHENTIC);
        bench.keys = right;
        bench_deliver(&bench, 1, "next");
        bench_end(&bench);
    }
}

static void the_window_takes_any_first_seq_and_what_comes_late(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    bench_deliver(&bench, 1000, "first");
    assert_true(bench.session.newest);
    bench_deliver(&bench, 998, "late");
    assert_true(bench.session.fresh);
    assert_false(bench.session.newest);
    bench_deliver(&bench, 1000 - 63, "as late as can be");
    bench_end(&bench);
}

/* "seq ≤ highest − 64 is too old", and still answered. */
static void what_is_too_old_is_acknowledged_and_not_delivered(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    bench_deliver(&bench, 1000, "first");
    assert_int_equal(bench_receive(&bench, USMP_DATA, 1000 - 64, "old"), USMP_SESSION_DUPLICATE);
    bench_assert_utack(&bench, USMP_DATA, 1000 - 64);
    assert_false(bench.session.fresh);
    bench_end(&bench);
}

/* "seq 0 is accepted once", and is the newest though it is not above the initial highest. */
static void seq_0_is_taken_once(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    bench_deliver(&bench, 0, "zero");
    assert_true(bench.session.newest);
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
    bench_assert_utack(&bench, USMP_DATA, 0);
    bench_end(&bench);
}

/* "Only an authentic frame moves anything. What is not authentic is dropped without a trace." */
static void what_is_not_authentic_moves_nothing(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    bench_deliver(&bench, 5, "five");
    const struct usmp_keys right = bench.keys;
    const struct usmp_session before = bench.session;
    bench.keys.device_to_gateway[0] ^= 0x80;
    assert_int_equal(bench_receive(&bench, USMP_DATA, 5000, "x"), USMP_SESSION_NOT_AUTHENTIC);
    assert_int_equal(bench_receive(&bench, USMP_BYE, 6, ""), USMP_SESSION_NOT_AUTHENTIC);
    assert_int_equal(bench_receive(&bench, USMP_DATA, USMP_SEQ_LAST, "x"), USMP_SESSION_NOT_AUTHENTIC);
    bench.keys = right;
    bench.session.fresh = before.fresh;
    bench.session.newest = before.newest;
    assert_memory_equal(&bench.session, &before, sizeof before);
    bench_deliver(&bench, 6, "six");
    bench_end(&bench);
}

/* From a wire 1 device: "the next seq, or a repeat of the last". */
static void wire_1_takes_the_next_seq_only(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_1);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 1, "gap"), USMP_SESSION_UNEXPECTED);
    assert_int_equal(bench_receive(&bench, USMP_DATA, USMP_SEQ_LAST, "x"), USMP_SESSION_UNEXPECTED);
    bench_deliver(&bench, 0, "zero");
    bench_deliver(&bench, 1, "one");
    assert_int_equal(bench_receive(&bench, USMP_DATA, 3, "gap"), USMP_SESSION_UNEXPECTED);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "zero"), USMP_SESSION_UNEXPECTED);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 1, "one"), USMP_SESSION_DUPLICATE);
    bench_assert_plain_utack(&bench, USMP_DATA, 1);
    bench_deliver(&bench, 2, "two");
    bench_end(&bench);
}

static void frames_of_another_version_or_of_the_handshake_are_dropped(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    bench.start.version = USMP_WIRE_1;
    bench_make(&bench, USMP_DATA, 0, "x", 1);
    bench.start.version = USMP_WIRE_2;
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_UNEXPECTED);
    static const struct usmp_challenge challenge;
    uint8_t frame[USMP_CHALLENGE_FRAME];
    size_t size = usmp_challenge_write(USMP_WIRE_2, 0, &challenge, frame);
    assert_int_equal(bench_receive_bytes(&bench, frame, size), USMP_SESSION_UNEXPECTED);
    bench_end(&bench);
}

/* docs/security.md rule 21: "Frames whose seq and tag equal one of the last 64 that we sent are dropped before window
 * and watchdog". */
static void a_frame_of_ours_that_comes_back_is_dropped(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_1);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"down", 4, bench.now), USMP_SEND_STARTED);
    bench_assert_frame(&bench, USMP_DATA, 0, "down");
    const struct bench_sent ours = bench.sent[bench.sent_count - 1];
    assert_int_equal(bench_receive_bytes(&bench, ours.bytes, ours.size), USMP_SESSION_NOT_AUTHENTIC);
    assert_false(bench.session.fresh);
    /* The device's own frame of that seq is another one. */
    bench_deliver(&bench, 0, "up");
    bench_end(&bench);
}

/* "seq 0xFFFFFFFF ends the session" */
static void the_last_seq_ends(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        bench.session.receive_next = USMP_SEQ_LAST;
        assert_int_equal(bench_receive(&bench, USMP_DATA, USMP_SEQ_LAST, "x"), USMP_SESSION_OVER);
        assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
        assert_int_equal(bench.session.linger_until, 0);
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_UNEXPECTED);
        bench_end(&bench);
    }
}

/* docs/security.md rule 19: a replay window belongs to a key, and both directions have their own. */
static void our_own_frames_do_not_open_on_wire_2(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"down", 4, bench.now), USMP_SEND_STARTED);
    bench_assert_frame(&bench, USMP_DATA, 0, "down");
    const struct bench_sent ours = bench.sent[bench.sent_count - 1];
    assert_int_equal(bench_receive_bytes(&bench, ours.bytes, ours.size), USMP_SESSION_NOT_AUTHENTIC);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REFLECTED], 0);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_accepted_is_acknowledged_again),
        cmocka_unit_test(a_copy_with_a_wrong_tag_is_not_acknowledged),
        cmocka_unit_test(the_window_takes_any_first_seq_and_what_comes_late),
        cmocka_unit_test(what_is_too_old_is_acknowledged_and_not_delivered),
        cmocka_unit_test(seq_0_is_taken_once),
        cmocka_unit_test(what_is_not_authentic_moves_nothing),
        cmocka_unit_test(wire_1_takes_the_next_seq_only),
        cmocka_unit_test(frames_of_another_version_or_of_the_handshake_are_dropped),
        cmocka_unit_test(a_frame_of_ours_that_comes_back_is_dropped),
        cmocka_unit_test(the_last_seq_ends),
        cmocka_unit_test(our_own_frames_do_not_open_on_wire_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
