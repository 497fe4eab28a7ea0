#include "proto/session_bench.h"

#include <string.h>

/* docs/protocol.md section 3, "Control frames": a bucket of 8, refilled at 8 a second. */

static void ping_over_udp_is_answered_by_advance(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, version, USMP_UDP);
        assert_int_equal(bench_receive(&bench, USMP_PING, 0, ""), USMP_SESSION_NOTHING);
        bench_assert_utack(&bench, USMP_PING, 0);
        bench_assert_silence(&bench); /* the owner may move the session before PONG leaves */
        assert_true(bench.session.fresh);
        assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
        bench_assert_frame(&bench, USMP_PONG, 0, "");
        assert_int_equal(bench_receive_utack(&bench, USMP_PONG, 0), USMP_SESSION_NOTHING);
        assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
        bench_end(&bench);
    }
}

static void a_copy_of_ping_is_acknowledged_and_not_answered_again(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(bench_receive(&bench, USMP_PING, 0, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PING, 0);
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
    bench_assert_utack(&bench, USMP_PING, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_PONG, 0, "");
    assert_int_equal(bench_receive_utack(&bench, USMP_PONG, 0), USMP_SESSION_NOTHING);
    assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    bench_end(&bench);
}

static void ping_over_tcp_is_answered_at_once(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin(&bench, USMP_GATEWAY, version, USMP_TCP);
        assert_int_equal(bench_receive(&bench, USMP_PING, 0, ""), USMP_SESSION_NOTHING);
        bench_assert_frame(&bench, USMP_PONG, 0, "");
        assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
        assert_int_equal(bench_receive(&bench, USMP_PING, 1, ""), USMP_SESSION_NOTHING);
        bench_assert_frame(&bench, USMP_PONG, 1, "");
        bench_end(&bench);
    }
}

static void pong_is_taken_in_silence(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(bench_receive(&bench, USMP_PONG, 0, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PONG, 0);
    assert_true(bench.session.fresh);
    bench_end(&bench);
}

/* docs/security.md rule 21: "off means: no encrypted frame ever leaves (no PONG […]), only plain UTACKs". */
static void without_permission_there_is_no_pong(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_prepare(&bench, USMP_GATEWAY, USMP_WIRE_1, transports[index]);
        bench.start.may_send = false;
        bench_begin_prepared(&bench);
        assert_int_equal(bench_receive(&bench, USMP_PING, 0, ""), USMP_SESSION_NOTHING);
        if (transports[index] == USMP_UDP)
            bench_assert_plain_utack(&bench, USMP_PING, 0);
        assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
        assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
        assert_int_equal(bench.blocks_out[USMP_BLOCK_REFLECTED], 0);
        bench_end(&bench);
    }
}

static void without_a_block_there_is_no_pong(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_1, transports[index]);
        bench.blocks_left[USMP_BLOCK_REFLECTED] = 0;
        for (uint32_t seq = 0; seq < 3; seq++) {
            assert_int_equal(bench_receive(&bench, USMP_PING, seq, ""), USMP_SESSION_NOTHING);
            if (transports[index] == USMP_UDP)
                bench_assert_plain_utack(&bench, USMP_PING, seq);
        }
        if (transports[index] == USMP_UDP)
            assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
        assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
        bench_deliver(&bench, 3, "it lives");
        bench_end(&bench);
    }
}

/* "never inside a fragmented message of ours (hold it until the last fragment is out)". */
static void pong_waits_for_the_whole_message(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    uint8_t message[USMP_PLAINTEXT_MAX + 1] = {0};
    assert_int_equal(usmp_session_send(&bench.session, message, sizeof message, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, message, USMP_PLAINTEXT_MAX);
    assert_int_equal(bench_receive(&bench, USMP_PING, 0, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PING, 0);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 0), USMP_SESSION_NOTHING);
    assert_int_equal(bench_receive(&bench, USMP_PING, 1, ""), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_PING, 1);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, message, 1);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 1), USMP_SESSION_SENT);
    for (uint32_t seq = 2; seq < 4; seq++) {
        assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
        bench_assert_frame(&bench, USMP_PONG, seq, "");
        assert_int_equal(bench_receive_utack(&bench, USMP_PONG, seq), USMP_SESSION_NOTHING);
    }
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    bench_end(&bench);
}

static void at_most_eight_pongs_are_owed(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"down", 4, bench.now), USMP_SEND_STARTED);
    for (uint32_t seq = 0; seq < 12; seq++) {
        bench.now += 125 * BENCH_MILLISECONDS;
        assert_int_equal(bench_receive(&bench, USMP_PING, seq, ""), USMP_SESSION_NOTHING);
    }
    bench_ignore_sent(&bench);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
    for (uint32_t seq = 1; seq <= 8; seq++) {
        assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
        bench_assert_frame(&bench, USMP_PONG, seq, "");
        assert_int_equal(bench_receive_utack(&bench, USMP_PONG, seq), USMP_SESSION_NOTHING);
    }
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    bench_end(&bench);
}

static void ping_at(struct bench *bench, uint32_t seq, enum usmp_session_verdict verdict)
{
    assert_int_equal(bench_receive(bench, seq % 2 == 0 ? USMP_PING : USMP_PONG, seq, ""), verdict);
    bench_ignore_sent(bench);
}

static void the_ninth_at_once_ends(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, transports[index]);
        for (uint32_t seq = 0; seq < 8; seq++)
            ping_at(&bench, seq, USMP_SESSION_NOTHING);
        ping_at(&bench, 8, USMP_SESSION_OVER);
        assert_int_equal(bench.session.end, USMP_END_PROTOCOL);
        bench_end(&bench);
    }
}

static void the_bucket_fills_at_eight_a_second(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    uint32_t seq = 0;
    while (seq < 8)
        ping_at(&bench, seq++, USMP_SESSION_NOTHING);
    for (int second = 0; second < 3; second++) { /* one after each 125 ms */
        bench.now += 125 * BENCH_MILLISECONDS;
        ping_at(&bench, seq++, USMP_SESSION_NOTHING);
    }
    bench.now += 10 * BENCH_SECONDS; /* full, and not fuller than that */
    for (int count = 0; count < 8; count++)
        ping_at(&bench, seq++, USMP_SESSION_NOTHING);
    bench.now += 124 * BENCH_MILLISECONDS;
    ping_at(&bench, seq, USMP_SESSION_OVER);
    bench_end(&bench);
}

/* Messages are no control frames and do not matter to the bucket, nor do copies and forgeries. */
static void only_fresh_and_authentic_ones_count(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    for (uint32_t seq = 0; seq < 8; seq++) {
        ping_at(&bench, 2 * seq, USMP_SESSION_NOTHING);
        for (int copy = 0; copy < 10; copy++)
            assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
        bench_ignore_sent(&bench);
        bench_deliver(&bench, 2 * seq + 1, "message");
        bench.sent_count = bench.seen_count = 0;
    }
    const struct usmp_keys right = bench.keys;
    bench.keys.device_to_gateway[0] ^= 1;
    ping_at(&bench, 100, USMP_SESSION_NOT_AUTHENTIC);
    bench.keys = right;
    bench_deliver(&bench, 100, "message");
    bench_end(&bench);
}

static void a_pong_without_a_seq_left_ends(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 2; index++) {
        struct bench bench;
        bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, transports[index]);
        bench.session.send_next = USMP_SEQ_LAST;
        if (transports[index] == USMP_TCP) {
            assert_int_equal(bench_receive(&bench, USMP_PING, 0, ""), USMP_SESSION_OVER);
        } else {
            assert_int_equal(bench_receive(&bench, USMP_PING, 0, ""), USMP_SESSION_NOTHING);
            bench_assert_utack(&bench, USMP_PING, 0);
            assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_OVER);
        }
        assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
        bench_end(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ping_over_udp_is_answered_by_advance),
        cmocka_unit_test(a_copy_of_ping_is_acknowledged_and_not_answered_again),
        cmocka_unit_test(ping_over_tcp_is_answered_at_once),
        cmocka_unit_test(pong_is_taken_in_silence),
        cmocka_unit_test(without_permission_there_is_no_pong),
        cmocka_unit_test(without_a_block_there_is_no_pong),
        cmocka_unit_test(pong_waits_for_the_whole_message),
        cmocka_unit_test(at_most_eight_pongs_are_owed),
        cmocka_unit_test(the_ninth_at_once_ends),
        cmocka_unit_test(the_bucket_fills_at_eight_a_second),
        cmocka_unit_test(only_fresh_and_authentic_ones_count),
        cmocka_unit_test(a_pong_without_a_seq_left_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
