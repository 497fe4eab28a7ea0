#include "proto/session_bench.h"

#include <string.h>

static uint8_t message[USMP_MESSAGE_MAX + 1];

static void fill_message(void)
{
    for (size_t index = 0; index < sizeof message; index++)
        message[index] = (uint8_t)(index * 31 + index / 256);
}

static enum usmp_send_verdict send_message(struct bench *bench, size_t size)
{
    return usmp_session_send(&bench->session, size > 0 ? message : NULL, size, bench->now);
}

static const size_t frames_full = USMP_PLAINTEXT_MAX;

/* docs/protocol.md section 2: "Over TCP write each frame in one call"; a message's frames too. */
static void over_tcp_a_message_leaves_in_one_piece(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin(&bench, USMP_GATEWAY, version, USMP_TCP);
        size_t sent_before = bench.sent_count;
        assert_int_equal(send_message(&bench, USMP_MESSAGE_MAX), USMP_SEND_WRITTEN);
        assert_int_equal(bench.sent_count, sent_before + 1);
        for (uint32_t seq = 0; seq < 4; seq++) {
            uint8_t type = seq < 3 ? USMP_DATA_FRAG : USMP_DATA;
            bench_assert_frame_bytes(&bench, type, seq, message + seq * frames_full, frames_full);
        }
        assert_int_equal(send_message(&bench, frames_full + 1), USMP_SEND_WRITTEN);
        bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 4, message, frames_full);
        bench_assert_frame_bytes(&bench, USMP_DATA, 5, message + frames_full, 1);
        assert_int_equal(send_message(&bench, 0), USMP_SEND_WRITTEN);
        bench_assert_frame(&bench, USMP_DATA, 6, "");
        assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
        bench_end(&bench);
    }
}

static void over_udp_fragments_leave_one_by_one(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, version, USMP_UDP);
        assert_int_equal(send_message(&bench, USMP_MESSAGE_MAX), USMP_SEND_STARTED);
        for (uint32_t seq = 0; seq < 4; seq++) {
            uint8_t type = seq < 3 ? USMP_DATA_FRAG : USMP_DATA;
            bench_assert_frame_bytes(&bench, type, seq, message + seq * frames_full, frames_full);
            bench_assert_silence(&bench);
            assert_false(usmp_session_can_send(&bench.session));
            assert_int_equal(bench_receive_utack(&bench, type, seq),
                             seq < 3 ? USMP_SESSION_NOTHING : USMP_SESSION_SENT);
            bench_assert_silence(&bench); /* the next leaves in advance */
            if (seq < 3)
                assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
        }
        assert_true(usmp_session_can_send(&bench.session));
        assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
        bench_end(&bench);
    }
}

static void an_empty_message_is_a_data_without_plaintext(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(send_message(&bench, 0), USMP_SEND_STARTED);
    bench_assert_frame(&bench, USMP_DATA, 0, "");
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
    bench_end(&bench);
}

static void one_message_at_a_time(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(send_message(&bench, 3), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    assert_int_equal(send_message(&bench, 3), USMP_SEND_BUSY);
    assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_BUSY);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
    /* PONG is out: the same. */
    assert_int_equal(bench_receive(&bench, USMP_PING, 0, ""), USMP_SESSION_NOTHING);
    assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    assert_int_equal(send_message(&bench, 3), USMP_SEND_BUSY);
    bench_ignore_sent(&bench);
    bench_end(&bench);
}

static void what_cannot_be_sent_is_told_apart(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_false(usmp_session_can_send(&bench.session));
    assert_int_equal(send_message(&bench, 1), USMP_SEND_BUSY); /* not confirmed */
    assert_int_equal(send_message(&bench, USMP_MESSAGE_MAX + 1), USMP_SEND_TOO_LARGE);
    assert_int_equal(bench_receive_utack(&bench, USMP_SESSION_OK, 0), USMP_SESSION_NOTHING);
    usmp_session_pause(&bench.session, true, bench.now);
    assert_false(usmp_session_can_send(&bench.session));
    assert_int_equal(send_message(&bench, 1), USMP_SEND_BUSY);
    bench_end(&bench);

    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    usmp_session_close(&bench.session, bench.now);
    bench_assert_frame(&bench, USMP_BYE, 0, "");
    assert_false(usmp_session_can_send(&bench.session));
    assert_int_equal(send_message(&bench, 1), USMP_SEND_OVER);
    bench_end(&bench);
}

/* docs/security.md rule 21. */
static void wire_1_needs_permission_and_a_block(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_prepare(&bench, USMP_GATEWAY, USMP_WIRE_1, transports[index]);
        bench.start.may_send = false;
        bench_begin_prepared(&bench);
        assert_false(usmp_session_can_send(&bench.session));
        assert_int_equal(send_message(&bench, 1), USMP_SEND_FORBIDDEN);
        assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_FORBIDDEN);
        bench_end(&bench);

        bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_1, transports[index]);
        bench.blocks_left[USMP_BLOCK_REFLECTED] = 0;
        assert_int_equal(send_message(&bench, 1), USMP_SEND_NO_BLOCK);
        assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_NO_BLOCK);
        bench.blocks_left[USMP_BLOCK_REFLECTED] = 1;
        bench_assert_silence(&bench);
        assert_int_not_equal(send_message(&bench, 1), USMP_SEND_NO_BLOCK);
        bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 1);
        bench_end(&bench);
    }
}

/* 0xFFFFFFFF is no message's. */
static void seqs_are_not_used_up_by_messages(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, transports[index]);
        bench.session.send_next = USMP_SEQ_LAST - 1;
        assert_int_not_equal(send_message(&bench, 1), USMP_SEND_OVER);
        bench_assert_frame_bytes(&bench, USMP_DATA, USMP_SEQ_LAST - 1, message, 1);
        if (transports[index] == USMP_UDP)
            assert_int_equal(bench_receive_utack(&bench, USMP_DATA, USMP_SEQ_LAST - 1), USMP_SESSION_SENT);
        assert_int_equal(send_message(&bench, 1), USMP_SEND_OVER);
        assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
        assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
        bench_end(&bench);

        /* A message that would begin and not end. */
        bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, transports[index]);
        bench.session.send_next = USMP_SEQ_LAST - 3;
        assert_int_equal(send_message(&bench, USMP_MESSAGE_MAX), USMP_SEND_OVER);
        assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
        bench_end(&bench);
    }
}

static void a_device_pings(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin(&bench, USMP_DEVICE, version, USMP_TCP);
        assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_WRITTEN);
        bench_assert_frame(&bench, USMP_PING, 0, "");
        bench.session.send_next = USMP_SEQ_LAST;
        assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_OVER);
        assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
        bench_end(&bench);

        bench_begin(&bench, USMP_DEVICE, version, USMP_UDP);
        assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_STARTED);
        bench_assert_frame(&bench, USMP_PING, 0, "");
        assert_int_equal(bench_receive_utack(&bench, USMP_PING, 0), USMP_SESSION_NOTHING);
        bench.session.send_next = USMP_SEQ_LAST;
        assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_OVER);
        assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
        bench_end(&bench);
    }
}

static void nothing_to_cancel_is_told(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_false(usmp_session_cancel(&bench.session));
    bench_end(&bench);
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    assert_int_equal(send_message(&bench, 1), USMP_SEND_WRITTEN);
    assert_false(usmp_session_cancel(&bench.session));
    bench_ignore_sent(&bench);
    bench_end(&bench);
}

static void a_cancelled_message_is_not_repeated_and_its_seq_not_used_again(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(send_message(&bench, 1), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 1);
    assert_true(usmp_session_cancel(&bench.session));
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(send_message(&bench, 2), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, message, 2);
    bench_end(&bench);
}

/* Whatever part of it the device holds: the next message must not be taken for its rest, and a device that drops what
 * breaks the order (Python) must not lose it. So a seq is left out, and a PONG goes before it. */
static void a_message_cancelled_between_fragments_is_fenced_off(void **state)
{
    (void)state;
    for (uint32_t acknowledged = 0; acknowledged < 3; acknowledged++) {
        for (int between = 0; between < 2; between++) {
            struct bench bench;
            bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
            assert_int_equal(send_message(&bench, USMP_MESSAGE_MAX), USMP_SEND_STARTED);
            for (uint32_t seq = 0; seq < acknowledged; seq++) {
                assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, seq), USMP_SESSION_NOTHING);
                assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
            }
            uint32_t last_sent = acknowledged;
            if (between) /* acknowledged, and the next has not left */
                assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, last_sent), USMP_SESSION_NOTHING);
            bench_ignore_sent(&bench);
            assert_true(usmp_session_cancel(&bench.session));
            assert_int_equal(send_message(&bench, 1), USMP_SEND_BUSY);
            assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
            bench_assert_frame(&bench, USMP_PONG, last_sent + 2, "");
            assert_int_equal(bench_receive_utack(&bench, USMP_PONG, last_sent + 2), USMP_SESSION_NOTHING);
            assert_int_equal(send_message(&bench, 1), USMP_SEND_STARTED);
            bench_assert_frame_bytes(&bench, USMP_DATA, last_sent + 3, message, 1);
            bench_end(&bench);
        }
    }
}

static void a_fence_is_given_up_like_any_pong(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(send_message(&bench, USMP_MESSAGE_MAX), USMP_SEND_STARTED);
    bench_ignore_sent(&bench);
    assert_true(usmp_session_cancel(&bench.session));
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    for (int send = 1; send < 5; send++) {
        bench_assert_frame(&bench, USMP_PONG, 2, "");
        bench.now = usmp_session_deadline(&bench.session);
        assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    }
    bench_assert_frame(&bench, USMP_PONG, 2, "");
    bench.now = usmp_session_deadline(&bench.session);
    assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    assert_int_equal(send_message(&bench, 1), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_DATA, 3, message, 1);
    bench_end(&bench);
}

static void a_fence_at_the_last_seq_ends_the_session(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    bench.session.send_next = USMP_SEQ_LAST - 4;
    assert_int_equal(send_message(&bench, USMP_MESSAGE_MAX), USMP_SEND_STARTED);
    for (uint32_t seq = USMP_SEQ_LAST - 4; seq < USMP_SEQ_LAST - 1; seq++) {
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, seq), USMP_SESSION_NOTHING);
        assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    }
    bench_ignore_sent(&bench);
    assert_true(usmp_session_cancel(&bench.session));
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
    bench_end(&bench);
}

/* "Towards a wire 1 device: never skip a seq (giving up on a frame ends the session)". */
static void on_wire_1_cancelling_ends_the_session(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_1, USMP_UDP);
    assert_int_equal(send_message(&bench, 1), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 1);
    assert_true(usmp_session_cancel(&bench.session));
    assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
    assert_int_equal(bench.session.end, USMP_END_GIVEN_UP);
    bench_end(&bench);
}

static int setup(void **state)
{
    (void)state;
    fill_message();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_tcp_a_message_leaves_in_one_piece),
        cmocka_unit_test(over_udp_fragments_leave_one_by_one),
        cmocka_unit_test(an_empty_message_is_a_data_without_plaintext),
        cmocka_unit_test(one_message_at_a_time),
        cmocka_unit_test(what_cannot_be_sent_is_told_apart),
        cmocka_unit_test(wire_1_needs_permission_and_a_block),
        cmocka_unit_test(seqs_are_not_used_up_by_messages),
        cmocka_unit_test(a_device_pings),
        cmocka_unit_test(nothing_to_cancel_is_told),
        cmocka_unit_test(a_cancelled_message_is_not_repeated_and_its_seq_not_used_again),
        cmocka_unit_test(a_message_cancelled_between_fragments_is_fenced_off),
        cmocka_unit_test(a_fence_is_given_up_like_any_pong),
        cmocka_unit_test(a_fence_at_the_last_seq_ends_the_session),
        cmocka_unit_test(on_wire_1_cancelling_ends_the_session),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
