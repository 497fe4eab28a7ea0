#include "proto/session_bench.h"

#include <string.h>

/* Offers and their answers over UDP, and messages in fragments (docs/protocol.md section 3, docs/design.md promise 2).
 */

static void begin(struct bench *bench, uint8_t version)
{
    bench_begin_confirmed(bench, USMP_GATEWAY, version, USMP_UDP);
}

static void take_part(struct bench *bench, uint32_t seq, const char *text)
{
    assert_int_equal(bench_receive(bench, USMP_DATA_FRAG, seq, text), USMP_SESSION_NOTHING);
    bench_assert_utack(bench, USMP_DATA_FRAG, seq);
    assert_true(bench->session.fresh);
}

static void complete(struct bench *bench, uint32_t seq, const char *text, const char *message)
{
    assert_int_equal(bench_receive(bench, USMP_DATA, seq, text), USMP_SESSION_OFFER);
    bench_assert_offer(bench, message, strlen(message));
    usmp_session_accept(&bench->session, bench->now);
    bench_assert_utack(bench, USMP_DATA, seq);
    assert_int_equal(bench->blocks_out[USMP_BLOCK_MESSAGE], 0);
}

/* "new, no room: UTACK no; the window does not move". */
static void a_refused_message_may_come_again(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        for (int copy = 0; copy < 3; copy++) {
            assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "no room"), USMP_SESSION_OFFER);
            usmp_session_refuse(&bench.session);
            bench_assert_silence(&bench);
        }
        bench_deliver(&bench, 0, "no room");
        bench_end(&bench);
    }
}

/* "waiting for the disk: its copies are not answered either while it waits". */
static void copies_of_a_deferred_message_wait_unanswered(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_OFFER);
        assert_true(bench.session.fresh);
        usmp_session_defer(&bench.session);
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_WAITING);
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_WAITING);
        assert_false(bench.session.fresh);
        usmp_session_settle(&bench.session, true, bench.now);
        bench_assert_utack(&bench, USMP_DATA, 0);
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
        bench_assert_utack(&bench, USMP_DATA, 0);
        bench_end(&bench);
    }
}

static void a_deferred_message_that_was_not_taken_may_come_again(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_OFFER);
    usmp_session_defer(&bench.session);
    usmp_session_settle(&bench.session, false, bench.now);
    bench_deliver(&bench, 0, "to disk");
    bench_end(&bench);
}

static void while_one_waits_other_messages_are_refused_and_control_frames_are_not(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_OFFER);
    usmp_session_defer(&bench.session);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 1, "next"), USMP_SESSION_NOT_NOW);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 1, "next"), USMP_SESSION_NOT_NOW);
    assert_int_equal(bench_receive(&bench, USMP_PING, 2, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PING, 2);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_WAITING);
    usmp_session_settle(&bench.session, true, bench.now);
    bench_assert_utack(&bench, USMP_DATA, 0);
    bench_deliver(&bench, 1, "next");
    bench_end(&bench);
}

/* A UTACK that is withheld after the window has moved would lose the message: so it waits even when it has become too
 * old for the window, and is acknowledged when it has been taken. */
static void a_deferred_message_outlives_the_window(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_OFFER);
    usmp_session_defer(&bench.session);
    assert_int_equal(bench_receive(&bench, USMP_PONG, 200, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PONG, 200);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_WAITING);
    usmp_session_settle(&bench.session, true, bench.now);
    bench_assert_utack(&bench, USMP_DATA, 0);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_DUPLICATE);
    bench_assert_utack(&bench, USMP_DATA, 0);
    bench_end(&bench);
}

static void a_session_that_ended_meanwhile_acknowledges_nothing(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_OFFER);
    usmp_session_defer(&bench.session);
    assert_int_equal(bench_receive(&bench, USMP_BYE, 1, ""), USMP_SESSION_OVER);
    bench_assert_utack(&bench, USMP_BYE, 1);
    usmp_session_settle(&bench.session, true, bench.now);
    bench_end(&bench);
}

static void closing_forgets_what_was_deferred(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_OFFER);
    usmp_session_defer(&bench.session);
    usmp_session_close(&bench.session, bench.now);
    bench_assert_frame(&bench, USMP_BYE, 0, "");
    usmp_session_settle(&bench.session, true, bench.now);
    bench_end(&bench);
}

static void fragments_become_a_message(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        take_part(&bench, 0, "one ");
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
        bench_assert_utack(&bench, USMP_DATA_FRAG, 0);
        take_part(&bench, 1, "two ");
        take_part(&bench, 2, "");
        complete(&bench, 3, "three", "one two three");
        bench_deliver(&bench, 4, "next");
        bench_end(&bench);
    }
}

static void the_longest_message_fits_its_block(void **state)
{
    (void)state;
    struct bench bench;
    uint8_t message[USMP_MESSAGE_MAX];
    for (size_t index = 0; index < sizeof message; index++)
        message[index] = (uint8_t)(index * 7);
    begin(&bench, USMP_WIRE_2);
    for (uint32_t seq = 0; seq < USMP_FRAGMENTS_MAX; seq++) {
        bool is_last = seq == USMP_FRAGMENTS_MAX - 1;
        uint8_t type = is_last ? USMP_DATA : USMP_DATA_FRAG;
        bench_make(&bench, type, seq, message + seq * USMP_PLAINTEXT_MAX, USMP_PLAINTEXT_MAX);
        assert_int_equal(bench_receive_frame(&bench), is_last ? USMP_SESSION_OFFER : USMP_SESSION_NOTHING);
        if (!is_last)
            bench_assert_utack(&bench, type, seq);
    }
    bench_assert_offer(&bench, message, sizeof message);
    usmp_session_accept(&bench.session, bench.now);
    bench_assert_utack(&bench, USMP_DATA, 3);
    bench_end(&bench);
}

/* Nothing of the partial message moves by a refusal, however often. */
static void a_refused_last_fragment_may_come_again(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        take_part(&bench, 0, "one ");
        for (int copy = 0; copy < 2; copy++) {
            assert_int_equal(bench_receive(&bench, USMP_DATA, 1, "two"), USMP_SESSION_OFFER);
            bench_assert_offer(&bench, "one two", 7);
            usmp_session_refuse(&bench.session);
        }
        assert_int_equal(bench_receive(&bench, USMP_DATA, 1, "two"), USMP_SESSION_OFFER);
        usmp_session_defer(&bench.session);
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_WAITING);
        usmp_session_settle(&bench.session, false, bench.now);
        assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 1);
        complete(&bench, 1, "two", "one two");
        bench_end(&bench);
    }
}

static void a_deferred_last_fragment_keeps_its_block_until_it_is_settled(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    take_part(&bench, 0, "one ");
    assert_int_equal(bench_receive(&bench, USMP_DATA, 1, "two"), USMP_SESSION_OFFER);
    usmp_session_defer(&bench.session);
    usmp_session_settle(&bench.session, true, bench.now);
    bench_assert_utack(&bench, USMP_DATA, 1);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);
    bench_end(&bench);
}

static void without_a_block_a_fragment_is_not_taken(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin(&bench, version);
        bench.blocks_left[USMP_BLOCK_MESSAGE] = 0;
        assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "one "), USMP_SESSION_NOT_NOW);
        bench_assert_silence(&bench);
        /* What needs none goes on. */
        bench.blocks_left[USMP_BLOCK_MESSAGE] = 1;
        take_part(&bench, 0, "one ");
        complete(&bench, 1, "two", "one two");
        bench_end(&bench);
    }
}

/* "A frame that breaks fragment order drops the partial message and, if it can begin one, begins a new one". */
static void a_gap_drops_the_partial_message_and_begins_a_new_one(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    take_part(&bench, 0, "lost ");
    bench_deliver(&bench, 2, "whole");
    assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);

    take_part(&bench, 3, "lost ");
    take_part(&bench, 5, "new ");
    complete(&bench, 6, "message", "new message");
    bench_end(&bench);
}

/* "once a partial has been dropped, its consecutive continuation is dropped too, up to and including its DATA". */
static void the_rest_of_a_dropped_message_is_acknowledged_and_not_delivered(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    take_part(&bench, 0, "lost ");
    bench_deliver(&bench, 3, "whole");
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 1, "rest "), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_DATA_FRAG, 1);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 2, "rest"), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_DATA, 2);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);
    bench_deliver(&bench, 4, "next");
    bench_end(&bench);
}

static void a_control_frame_inside_drops_the_partial_message(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    take_part(&bench, 0, "lost ");
    assert_int_equal(bench_receive(&bench, USMP_PONG, 1, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PONG, 1);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);
    bench_end(&bench);
}

static void a_fourth_fragment_that_is_not_the_last_drops_the_message(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    for (uint32_t seq = 0; seq < 3; seq++)
        take_part(&bench, seq, "part");
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 3, "part"), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_DATA_FRAG, 3);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 4, "end"), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_DATA, 4);
    bench_deliver(&bench, 5, "next");
    bench_end(&bench);
}

/* Not answered, so the device gave up and sent a PING; that the message was waiting for the disk does not matter. */
static void a_control_frame_does_not_hurt_a_deferred_last_fragment(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_WIRE_2);
    take_part(&bench, 0, "one ");
    assert_int_equal(bench_receive(&bench, USMP_DATA, 1, "two"), USMP_SESSION_OFFER);
    usmp_session_defer(&bench.session);
    assert_int_equal(bench_receive(&bench, USMP_PING, 2, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PING, 2);
    usmp_session_settle(&bench.session, true, bench.now);
    bench_assert_utack(&bench, USMP_DATA, 1);
    bench_deliver(&bench, 3, "next");
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_message_may_come_again),
        cmocka_unit_test(copies_of_a_deferred_message_wait_unanswered),
        cmocka_unit_test(a_deferred_message_that_was_not_taken_may_come_again),
        cmocka_unit_test(while_one_waits_other_messages_are_refused_and_control_frames_are_not),
        cmocka_unit_test(a_deferred_message_outlives_the_window),
        cmocka_unit_test(a_session_that_ended_meanwhile_acknowledges_nothing),
        cmocka_unit_test(closing_forgets_what_was_deferred),
        cmocka_unit_test(fragments_become_a_message),
        cmocka_unit_test(the_longest_message_fits_its_block),
        cmocka_unit_test(a_refused_last_fragment_may_come_again),
        cmocka_unit_test(a_deferred_last_fragment_keeps_its_block_until_it_is_settled),
        cmocka_unit_test(without_a_block_a_fragment_is_not_taken),
        cmocka_unit_test(a_gap_drops_the_partial_message_and_begins_a_new_one),
        cmocka_unit_test(the_rest_of_a_dropped_message_is_acknowledged_and_not_delivered),
        cmocka_unit_test(a_control_frame_inside_drops_the_partial_message),
        cmocka_unit_test(a_fourth_fragment_that_is_not_the_last_drops_the_message),
        cmocka_unit_test(a_control_frame_does_not_hurt_a_deferred_last_fragment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
