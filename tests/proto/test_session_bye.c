#include "proto/session_bench.h"

#include <string.h>

/* docs/protocol.md section 3: "BYE ends the session, inside a fragmented message too; over UDP its sender waits for
 * the UTACK, so keep answering identical copies for 15 s." */

static void copies_of_bye_are_answered_for_15_seconds(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, version, USMP_UDP);
        bench_deliver(&bench, 0, "last words");
        assert_int_equal(bench_receive(&bench, USMP_BYE, 1, ""), USMP_SESSION_OVER);
        bench_assert_utack(&bench, USMP_BYE, 1);
        assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
        assert_int_equal(bench.session.end, USMP_END_BYE);
        assert_true(bench.session.fresh);
        assert_int_equal(bench.session.linger_until, bench.now + 15 * BENCH_SECONDS);
        assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);

        bench.now += 15 * BENCH_SECONDS - 1;
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
        bench_assert_utack(&bench, USMP_BYE, 1);
        assert_false(bench.session.fresh);
        bench.now++;
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_UNEXPECTED);
        bench_end(&bench);
    }
}

static void a_lingering_session_answers_nothing_else(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, version, USMP_UDP);
        bench_deliver(&bench, 0, "last words");
        assert_int_equal(bench_receive(&bench, USMP_BYE, 1, ""), USMP_SESSION_OVER);
        bench_assert_utack(&bench, USMP_BYE, 1);
        assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "last words"), USMP_SESSION_UNEXPECTED);
        assert_int_equal(bench_receive(&bench, USMP_BYE, 2, ""), USMP_SESSION_UNEXPECTED);
        bench.keys.device_to_gateway[0] ^= 1;
        assert_int_equal(bench_receive(&bench, USMP_BYE, 1, ""), USMP_SESSION_NOT_AUTHENTIC);
        assert_int_equal(usmp_session_send(&bench.session, NULL, 0, bench.now), USMP_SEND_OVER);
        assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_OVER);
        usmp_session_close(&bench.session, bench.now);
        assert_int_equal(bench.session.end, USMP_END_BYE);
        bench_end(&bench);
    }
}

static void bye_inside_a_fragmented_message_ends_regularly(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, transports[index]);
        assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "part"), USMP_SESSION_NOTHING);
        assert_int_equal(bench_receive(&bench, USMP_BYE, 1, ""), USMP_SESSION_OVER);
        assert_int_equal(bench.session.end, USMP_END_BYE);
        assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);
        bench_ignore_sent(&bench);
        bench_end(&bench);
    }
}

static void bye_may_come_with_the_last_seq(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, version, USMP_UDP);
        bench.session.receive_next = USMP_SEQ_LAST;
        assert_int_equal(bench_receive(&bench, USMP_BYE, USMP_SEQ_LAST, ""), USMP_SESSION_OVER);
        bench_assert_utack(&bench, USMP_BYE, USMP_SEQ_LAST);
        assert_int_equal(bench.session.end, USMP_END_BYE);
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
        bench_assert_utack(&bench, USMP_BYE, USMP_SEQ_LAST);
        bench_end(&bench);
    }
}

/* Control frames are counted, BYE is not: it ends the session anyway. */
static void bye_needs_no_budget(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    for (uint32_t seq = 0; seq < 8; seq++)
        assert_int_equal(bench_receive(&bench, USMP_PONG, seq, ""), USMP_SESSION_NOTHING);
    assert_int_equal(bench_receive(&bench, USMP_BYE, 8, ""), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_BYE);
    bench_ignore_sent(&bench);
    bench_end(&bench);
}

static void over_tcp_closing_writes_bye_and_ends(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin(&bench, USMP_GATEWAY, version, USMP_TCP);
        assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"x", 1, bench.now), USMP_SEND_WRITTEN);
        bench_assert_frame(&bench, USMP_DATA, 0, "x");
        usmp_session_close(&bench.session, bench.now);
        bench_assert_frame(&bench, USMP_BYE, 1, "");
        assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
        assert_int_equal(bench.session.end, USMP_END_CLOSED);
        usmp_session_close(&bench.session, bench.now);
        bench_end(&bench);
    }
}

static void over_udp_closing_waits_for_the_utack_of_bye(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, version, USMP_UDP);
        usmp_session_close(&bench.session, bench.now);
        bench_assert_frame(&bench, USMP_BYE, 0, "");
        assert_int_equal(bench.session.state, USMP_SESSION_CLOSING);
        assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
        bench_assert_frame(&bench, USMP_BYE, 0, "");
        assert_int_equal(bench_receive_utack(&bench, USMP_BYE, 0), USMP_SESSION_OVER);
        assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
        assert_int_equal(bench.session.end, USMP_END_CLOSED);
        assert_int_equal(bench.session.linger_until, 0);
        assert_int_equal(bench_receive_utack(&bench, USMP_BYE, 0), USMP_SESSION_UNEXPECTED);
        bench_end(&bench);
    }
}

/* Five sends, 500 ms apart and doubling up to 4 s. */
static void bye_is_given_up_after_five_sends(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, version, USMP_UDP);
        usmp_session_close(&bench.session, bench.now);
        bench_assert_frame(&bench, USMP_BYE, 0, "");
        for (uint64_t after = 500; after <= 4000; after *= 2) {
            assert_int_equal(bench_advance_to_deadline(&bench, after * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
            bench_assert_frame(&bench, USMP_BYE, 0, "");
        }
        assert_int_equal(bench_advance_to_deadline(&bench, 4000 * BENCH_MILLISECONDS), USMP_SESSION_OVER);
        assert_int_equal(bench.session.end, USMP_END_CLOSED);
        bench_end(&bench);
    }
}

static void while_closing_only_the_peers_bye_is_taken(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, version, USMP_UDP);
        bench_deliver(&bench, 0, "up");
        usmp_session_close(&bench.session, bench.now);
        bench_assert_frame(&bench, USMP_BYE, 0, "");
        assert_int_equal(bench_receive(&bench, USMP_DATA, 1, "late"), USMP_SESSION_UNEXPECTED);
        assert_int_equal(bench_receive(&bench, USMP_PING, 1, ""), USMP_SESSION_UNEXPECTED);
        assert_int_equal(bench_receive(&bench, USMP_BYE, 1, ""), USMP_SESSION_OVER);
        bench_assert_utack(&bench, USMP_BYE, 1);
        assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
        assert_int_equal(bench.session.end, USMP_END_CLOSED);
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
        bench_assert_utack(&bench, USMP_BYE, 1);
        bench_end(&bench);
    }
}

static void closing_gives_up_what_was_out(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"down", 4, bench.now), USMP_SEND_STARTED);
    bench_assert_frame(&bench, USMP_DATA, 0, "down");
    assert_int_equal(bench_receive(&bench, USMP_PING, 0, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PING, 0);
    usmp_session_close(&bench.session, bench.now);
    bench_assert_frame(&bench, USMP_BYE, 1, "");
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(bench_receive_utack(&bench, USMP_BYE, 1), USMP_SESSION_OVER);
    assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    bench_end(&bench);
}

/* docs/security.md rule 21: no BYE "on any way a session can end". */
static void without_permission_closing_is_silent(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_prepare(&bench, USMP_GATEWAY, USMP_WIRE_1, transports[index]);
        bench.start.may_send = false;
        bench_begin_prepared(&bench);
        bench_deliver(&bench, 0, "up");
        usmp_session_close(&bench.session, bench.now);
        assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
        assert_int_equal(bench.session.end, USMP_END_CLOSED);
        bench_end(&bench);
    }
}

static void without_a_block_closing_is_silent(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_1, transports[index]);
        bench.blocks_left[USMP_BLOCK_REFLECTED] = 0;
        usmp_session_close(&bench.session, bench.now);
        assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
        bench_end(&bench);
    }
}

/* "No downlink before SESSION_OK is acknowledged or a frame has opened". */
static void an_unconfirmed_session_closes_in_silence(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    usmp_session_close(&bench.session, bench.now);
    assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
    assert_int_equal(bench.session.end, USMP_END_CLOSED);
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    bench_end(&bench);
}

/* "Python may send BYE with it", and so may we. */
static void our_bye_may_have_the_last_seq(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, transports[index]);
        bench.session.send_next = USMP_SEQ_LAST;
        usmp_session_close(&bench.session, bench.now);
        bench_assert_frame(&bench, USMP_BYE, USMP_SEQ_LAST, "");
        assert_int_equal(bench.session.send_next, USMP_SEQ_LAST); /* it does not begin again at 0 */
        bench_end(&bench);
    }
}

static void a_paused_session_says_bye_when_it_is_resumed(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    usmp_session_pause(&bench.session, true, bench.now);
    usmp_session_close(&bench.session, bench.now);
    bench_assert_silence(&bench);
    assert_int_equal(bench.session.state, USMP_SESSION_CLOSING);
    usmp_session_pause(&bench.session, false, bench.now);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_BYE, 0, "");
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_of_bye_are_answered_for_15_seconds),
        cmocka_unit_test(a_lingering_session_answers_nothing_else),
        cmocka_unit_test(bye_inside_a_fragmented_message_ends_regularly),
        cmocka_unit_test(bye_may_come_with_the_last_seq),
        cmocka_unit_test(bye_needs_no_budget),
        cmocka_unit_test(over_tcp_closing_writes_bye_and_ends),
        cmocka_unit_test(over_udp_closing_waits_for_the_utack_of_bye),
        cmocka_unit_test(bye_is_given_up_after_five_sends),
        cmocka_unit_test(while_closing_only_the_peers_bye_is_taken),
        cmocka_unit_test(closing_gives_up_what_was_out),
        cmocka_unit_test(without_permission_closing_is_silent),
        cmocka_unit_test(without_a_block_closing_is_silent),
        cmocka_unit_test(an_unconfirmed_session_closes_in_silence),
        cmocka_unit_test(our_bye_may_have_the_last_seq),
        cmocka_unit_test(a_paused_session_says_bye_when_it_is_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
