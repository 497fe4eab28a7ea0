#include "proto/rekey_bench.h"

#include <string.h>

/* docs/protocol.md section 4, "Downlink in flight when REKEY comes". */

/* Over UDP what we send goes on above all that was sent before. */
static void over_udp_no_seq_of_ours_comes_twice(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    for (uint32_t seq = 0; seq < 3; seq++) {
        rekey_send_message(&bench, 3);
        bench_assert_frame_bytes(&bench, USMP_DATA, seq, rekey_message, 3);
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA, seq), USMP_SESSION_SENT);
    }
    rekey_receive(&bench, 0);
    rekey_send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 3, rekey_message, 3);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 3), USMP_SESSION_SENT);
    bench_end(&bench);
}

/* "If its UTACK comes under the old key it has arrived". */
static void a_message_in_flight_may_still_be_acknowledged_under_the_old_key(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
    const struct usmp_keys old = bench.keys;
    rekey_receive(&bench, 0);
    assert_false(usmp_session_can_send(&bench.session));
    assert_int_equal(rekey_receive_utack_under(&bench, &bench.keys, USMP_DATA, 0), USMP_SESSION_NOT_AUTHENTIC);
    assert_int_equal(rekey_receive_utack_under(&bench, &old, USMP_DATA, 0), USMP_SESSION_SENT);
    assert_true(usmp_session_can_send(&bench.session));
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    /* Copies of REKEY are answered on. */
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 1);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    bench_end(&bench);
}

/* Also when a frame under the new keys has opened before. */
static void the_old_key_is_kept_as_long_as_its_utack_may_come(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
    const struct usmp_keys old = bench.keys;
    rekey_receive(&bench, 0);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 1);
    assert_int_equal(rekey_receive_utack_under(&bench, &old, USMP_DATA, 0), USMP_SESSION_SENT);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    bench_end(&bench);
}

static void the_old_key_is_not_kept_longer_than_that(void **state)
{
    (void)state;
    for (int is_cancelled = 0; is_cancelled < 2; is_cancelled++) {
        struct bench bench;
        rekey_begin(&bench);
        rekey_send_message(&bench, 3);
        bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
        rekey_receive(&bench, 0);
        bench_deliver(&bench, 0, "new");
        if (is_cancelled) {
            assert_true(usmp_session_cancel(&bench.session));
        } else {
            assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
            bench_assert_frame_bytes(&bench, USMP_DATA, 1, rekey_message, 3);
        }
        assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
        bench_end(&bench);
    }
}

/* "stop it at once […] otherwise the whole message is sent again […] under the new keys". */
static void an_unacknowledged_message_is_sent_again_under_the_new_keys(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
    bench.now += 400 * BENCH_MILLISECONDS;
    const struct usmp_keys old = bench.keys;
    rekey_receive(&bench, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, rekey_message, 3);
    assert_int_equal(rekey_receive_utack_under(&bench, &old, USMP_DATA, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(rekey_receive_utack_under(&bench, &old, USMP_DATA, 1), USMP_SESSION_NOT_AUTHENTIC);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, rekey_message, 3);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 1), USMP_SESSION_SENT);
    bench_end(&bench);
}

/* 500 ms, or the rest of its time if that is longer. */
static void a_frame_that_was_due_later_waits_that_long(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 3);
    for (int repeat = 0; repeat < 3; repeat++) {
        bench.now = usmp_session_deadline(&bench.session);
        assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    }
    bench_ignore_sent(&bench);
    bench.now += 1000 * BENCH_MILLISECONDS; /* of 4 seconds */
    rekey_receive(&bench, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 3000 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, rekey_message, 3);
    bench_end(&bench);
}

/* What the device holds of it may be spliced to what comes: a seq is left out and a PONG goes first. */
static void expect_whole_message_again(struct bench *bench, uint32_t seq, size_t size)
{
    bench_assert_frame(bench, USMP_PONG, seq, "");
    assert_int_equal(bench_receive_utack(bench, USMP_PONG, seq), USMP_SESSION_NOTHING);
    assert_false(usmp_session_can_send(&bench->session));
    for (size_t offset = 0; offset < size; offset += USMP_PLAINTEXT_MAX) {
        bool is_last = size - offset <= USMP_PLAINTEXT_MAX;
        uint8_t type = is_last ? USMP_DATA : USMP_DATA_FRAG;
        assert_int_equal(bench_advance_to_deadline(bench, 0), USMP_SESSION_NOTHING);
        bench_assert_frame_bytes(bench, type, ++seq, rekey_message + offset,
                                 is_last ? size - offset : USMP_PLAINTEXT_MAX);
        assert_int_equal(bench_receive_utack(bench, type, seq), is_last ? USMP_SESSION_SENT : USMP_SESSION_NOTHING);
    }
}

static void a_message_in_fragments_is_sent_again_from_its_first(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, rekey_message, USMP_PLAINTEXT_MAX);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 0), USMP_SESSION_NOTHING);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 1, rekey_message + USMP_PLAINTEXT_MAX, USMP_PLAINTEXT_MAX);
    rekey_receive(&bench, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    expect_whole_message_again(&bench, 3, 1000);
    bench_deliver(&bench, 0, "new");
    bench_end(&bench);
}

/* The device has dropped what it had, so there is nothing to wait for. */
static void an_old_utack_of_a_middle_fragment_begins_the_message_anew(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, rekey_message, USMP_PLAINTEXT_MAX);
    const struct usmp_keys old = bench.keys;
    rekey_receive(&bench, 0);
    assert_int_equal(rekey_receive_utack_under(&bench, &old, USMP_DATA_FRAG, 0), USMP_SESSION_NOTHING);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    expect_whole_message_again(&bench, 2, 1000);
    bench_deliver(&bench, 0, "new");
    bench_end(&bench);
}

static void an_old_utack_of_the_last_fragment_is_the_messages(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, USMP_PLAINTEXT_MAX + 1);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, rekey_message, USMP_PLAINTEXT_MAX);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 0), USMP_SESSION_NOTHING);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, rekey_message + USMP_PLAINTEXT_MAX, 1);
    const struct usmp_keys old = bench.keys;
    rekey_receive(&bench, 0);
    assert_int_equal(rekey_receive_utack_under(&bench, &old, USMP_DATA, 1), USMP_SESSION_SENT);
    assert_true(usmp_session_can_send(&bench.session));
    bench_end(&bench);
}

static void between_two_fragments_the_message_begins_anew_at_once(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, rekey_message, USMP_PLAINTEXT_MAX);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 0), USMP_SESSION_NOTHING);
    rekey_receive(&bench, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    expect_whole_message_again(&bench, 2, 1000);
    bench_end(&bench);
}

static void a_message_may_be_cancelled_while_its_old_utack_is_awaited(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
    const struct usmp_keys old = bench.keys;
    rekey_receive(&bench, 0);
    assert_true(usmp_session_cancel(&bench.session));
    assert_int_equal(rekey_receive_utack_under(&bench, &old, USMP_DATA, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    rekey_send_message(&bench, 5);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, rekey_message, 5);
    bench_end(&bench);
}

static void a_message_that_has_not_begun_anew_needs_no_further_fence(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, rekey_message, USMP_PLAINTEXT_MAX);
    rekey_receive(&bench, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_PONG, 2, "");
    assert_true(usmp_session_cancel(&bench.session));
    assert_int_equal(bench_receive_utack(&bench, USMP_PONG, 2), USMP_SESSION_NOTHING);
    rekey_send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 3, rekey_message, 3);
    bench_end(&bench);
}

static void a_pong_in_flight_is_dropped_and_one_that_is_owed_is_not(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    for (uint32_t seq = 0; seq < 2; seq++) {
        assert_int_equal(bench_receive(&bench, USMP_PING, seq, ""), USMP_SESSION_NOTHING);
        bench_assert_utack(&bench, USMP_PING, seq);
    }
    assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_PONG, 0, "");
    rekey_receive(&bench, 2);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_PONG, 1, "");
    assert_int_equal(bench_receive_utack(&bench, USMP_PONG, 1), USMP_SESSION_NOTHING);
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    bench_end(&bench);
}

/* The fence of a message that begins anew was in flight: it is raised again under the newest keys. */
static void a_second_rekey_before_the_message_is_through(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    rekey_send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, rekey_message, USMP_PLAINTEXT_MAX);
    rekey_receive(&bench, 0);
    rekey_receive(&bench, 0); /* while the first one's old UTACK is awaited */
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_PONG, 2, "");
    rekey_receive(&bench, 0); /* while the fence is in flight */
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    expect_whole_message_again(&bench, 4, 1000);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_udp_no_seq_of_ours_comes_twice),
        cmocka_unit_test(a_message_in_flight_may_still_be_acknowledged_under_the_old_key),
        cmocka_unit_test(the_old_key_is_kept_as_long_as_its_utack_may_come),
        cmocka_unit_test(the_old_key_is_not_kept_longer_than_that),
        cmocka_unit_test(an_unacknowledged_message_is_sent_again_under_the_new_keys),
        cmocka_unit_test(a_frame_that_was_due_later_waits_that_long),
        cmocka_unit_test(a_message_in_fragments_is_sent_again_from_its_first),
        cmocka_unit_test(an_old_utack_of_a_middle_fragment_begins_the_message_anew),
        cmocka_unit_test(an_old_utack_of_the_last_fragment_is_the_messages),
        cmocka_unit_test(between_two_fragments_the_message_begins_anew_at_once),
        cmocka_unit_test(a_message_may_be_cancelled_while_its_old_utack_is_awaited),
        cmocka_unit_test(a_message_that_has_not_begun_anew_needs_no_further_fence),
        cmocka_unit_test(a_pong_in_flight_is_dropped_and_one_that_is_owed_is_not),
        cmocka_unit_test(a_second_rekey_before_the_message_is_through),
    };
    return cmocka_run_group_tests(tests, rekey_setup, NULL);
}
