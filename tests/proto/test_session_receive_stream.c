#include "proto/session_bench.h"

#include <string.h>

#include <usmp/handshake_messages.h>

/* docs/protocol.md section 3, TCP: "seq must be exactly the next one. Anything wrong […] ends the session." */

static void assert_ended(struct bench *bench, enum usmp_session_verdict verdict)
{
    assert_int_equal(verdict, USMP_SESSION_OVER);
    assert_int_equal(bench->session.state, USMP_SESSION_ENDED);
    assert_int_equal(bench->session.end, USMP_END_PROTOCOL);
    assert_false(bench->session.fresh);
    bench_end(bench);
}

static void messages_come_in_order_and_unacknowledged(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin(&bench, USMP_GATEWAY, version, USMP_TCP);
        bench_deliver(&bench, 0, "one");
        assert_true(bench.session.fresh);
        assert_true(bench.session.newest);
        bench_deliver(&bench, 1, "");
        bench_deliver(&bench, 2, "three");
        bench_end(&bench);
    }
}

static void a_wrong_seq_ends(void **state)
{
    (void)state;
    const uint32_t wrong[] = {0, 2, USMP_SEQ_LAST};
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        struct bench bench;
        bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
        bench_deliver(&bench, 0, "one");
        assert_ended(&bench, bench_receive(&bench, USMP_DATA, wrong[index], "x"));
    }
}

static void a_wrong_key_ends(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    bench.keys.device_to_gateway[0] ^= 1;
    assert_ended(&bench, bench_receive(&bench, USMP_DATA, 0, "x"));
}

static void another_version_ends(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    bench.start.version = USMP_WIRE_1;
    bench_make(&bench, USMP_DATA, 0, "x", 1);
    bench.start.version = USMP_WIRE_2;
    assert_ended(&bench, bench_receive_frame(&bench));
}

static void a_handshake_frame_ends(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    static const struct usmp_hello hello;
    uint8_t frame[USMP_HELLO_COOKIE_FRAME];
    size_t size = usmp_hello_write(USMP_WIRE_2, 0, &hello, frame);
    assert_ended(&bench, bench_receive_bytes(&bench, frame, size));
}

static void a_frame_of_ours_that_comes_back_ends(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_1, USMP_TCP);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"down", 4, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame(&bench, USMP_DATA, 0, "down");
    /* It would open: wire 1 has one key. */
    assert_ended(&bench, bench_receive_bytes(&bench, bench.sent[1].bytes, bench.sent[1].size));
}

static void an_ended_session_takes_nothing(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    assert_int_equal(bench_receive(&bench, USMP_BYE, 0, ""), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_BYE);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 1, "x"), USMP_SESSION_UNEXPECTED);
    bench_end(&bench);
}

/* "Refused: […] on TCP the owner feeds the frame again." */
static void a_refused_frame_may_be_fed_again(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    for (int time = 0; time < 3; time++) {
        assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "later"), USMP_SESSION_OFFER);
        usmp_session_refuse(&bench.session);
    }
    bench_deliver(&bench, 0, "later");
    bench_deliver(&bench, 1, "next");
    bench_end(&bench);
}

static void nothing_is_taken_while_a_message_is_deferred(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_OFFER);
    usmp_session_defer(&bench.session);
    assert_int_equal(bench_receive(&bench, USMP_PING, 1, ""), USMP_SESSION_NOT_NOW);
    usmp_session_settle(&bench.session, true, bench.now);
    bench_deliver(&bench, 1, "next");

    assert_int_equal(bench_receive(&bench, USMP_DATA, 2, "to disk"), USMP_SESSION_OFFER);
    usmp_session_defer(&bench.session);
    usmp_session_settle(&bench.session, false, bench.now);
    bench_deliver(&bench, 2, "to disk");
    bench_end(&bench);
}

static void fragments_become_a_message(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    /* "any plaintext length is accepted in each, an empty one too" */
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "one "), USMP_SESSION_NOTHING);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 1, ""), USMP_SESSION_NOTHING);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 2, "two "), USMP_SESSION_NOTHING);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 3, "three"), USMP_SESSION_OFFER);
    bench_assert_offer(&bench, "one two three", 13);
    usmp_session_accept(&bench.session, bench.now);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);
    bench_deliver(&bench, 4, "next");
    bench_end(&bench);
}

/* "a control frame inside a fragmented message, a fourth frame that is still DATA_FRAG" */
static void a_broken_order_of_fragments_ends(void **state)
{
    (void)state;
    struct bench bench;
    const uint8_t control[] = {USMP_PING, USMP_PONG};
    for (size_t index = 0; index < sizeof control; index++) {
        bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
        assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "part"), USMP_SESSION_NOTHING);
        assert_int_equal(bench_receive(&bench, control[index], 1, ""), USMP_SESSION_OVER);
        assert_int_equal(bench.session.end, USMP_END_PROTOCOL);
        assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);
        bench_end(&bench);
    }
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    for (uint32_t seq = 0; seq < 3; seq++)
        assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, seq, "part"), USMP_SESSION_NOTHING);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 3, "part"), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_PROTOCOL);
    bench_end(&bench);
}

static void without_a_block_a_fragment_is_not_taken(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    bench.blocks_left[USMP_BLOCK_MESSAGE] = 0;
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "part"), USMP_SESSION_NOT_NOW);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "part"), USMP_SESSION_NOT_NOW);
    bench.blocks_left[USMP_BLOCK_MESSAGE] = 1;
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "part"), USMP_SESSION_NOTHING);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 1, " two"), USMP_SESSION_OFFER);
    bench_assert_offer(&bench, "part two", 8);
    usmp_session_accept(&bench.session, bench.now);
    bench_end(&bench);
}

/* Section 3: "seq 0xFFFFFFFF ends the session (Python may send BYE with it)". */
static void the_last_seq_ends(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    bench.session.receive_next = USMP_SEQ_LAST - 1;
    bench_deliver(&bench, USMP_SEQ_LAST - 1, "last");
    assert_int_equal(bench_receive(&bench, USMP_DATA, USMP_SEQ_LAST, "x"), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
    bench_end(&bench);

    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    bench.session.receive_next = USMP_SEQ_LAST;
    assert_int_equal(bench_receive(&bench, USMP_BYE, USMP_SEQ_LAST, ""), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_BYE);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order_and_unacknowledged),
        cmocka_unit_test(a_wrong_seq_ends),
        cmocka_unit_test(a_wrong_key_ends),
        cmocka_unit_test(another_version_ends),
        cmocka_unit_test(a_handshake_frame_ends),
        cmocka_unit_test(a_frame_of_ours_that_comes_back_ends),
        cmocka_unit_test(an_ended_session_takes_nothing),
        cmocka_unit_test(a_refused_frame_may_be_fed_again),
        cmocka_unit_test(nothing_is_taken_while_a_message_is_deferred),
        cmocka_unit_test(fragments_become_a_message),
        cmocka_unit_test(a_broken_order_of_fragments_ends),
        cmocka_unit_test(without_a_block_a_fragment_is_not_taken),
        cmocka_unit_test(the_last_seq_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
