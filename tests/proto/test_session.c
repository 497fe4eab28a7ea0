#include "proto/session_bench.h"

#include <string.h>

/* docs/protocol.md section 2: "Keys are installed before SESSION_OK leaves". */
static void peek_at_session(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                            size_t size)
{
    struct bench *bench = context;
    (void)bytes;
    assert_int_equal(kind, USMP_SEND_FRAME);
    assert_int_equal(size, USMP_SESSION_OK_FRAME);
    assert_int_equal(session->state, USMP_SESSION_LIVE);
    assert_memory_equal(&session->keys, &bench->start.keys, sizeof session->keys);
    assert_memory_equal(session->session_id, bench->start.session_id, USMP_SESSION_ID_SIZE);
    assert_ptr_equal(session->user, bench);
    bench->sent_count++;
}

static void keys_are_in_place_when_session_ok_leaves(void **state)
{
    (void)state;
    struct bench bench;
    bench_prepare(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    bench.owner.send = peek_at_session;
    usmp_session_begin(&bench.session, &bench.owner, &bench, &bench.start, bench.now);
    assert_int_equal(bench.sent_count, 1);
    bench_ignore_sent(&bench);
    bench_end(&bench);
}

static void a_device_begins_in_silence_and_may_send(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    assert_true(usmp_session_can_send(&bench.session));
    bench_end(&bench);
}

static void over_tcp_a_gateway_may_send_at_once(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    assert_true(bench.session.confirmed);
    assert_true(usmp_session_can_send(&bench.session));
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    bench_end(&bench);
}

/* Section 4: "SESSION_OK is repeated every 500 ms until acknowledged, at most handshake_timeout". */
static void session_ok_is_repeated_until_time_is_up(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    for (int repeat = 1; repeat < 20; repeat++) {
        assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
        bench_assert_session_ok(&bench);
        assert_false(usmp_session_can_send(&bench.session));
    }
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_OVER);
    assert_int_equal(bench.session.state, USMP_SESSION_ENDED);
    assert_int_equal(bench.session.end, USMP_END_UNCONFIRMED);
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    bench_end(&bench);
}

static void session_ok_is_not_repeated_past_its_time(void **state)
{
    (void)state;
    struct bench bench;
    bench_prepare(&bench, USMP_GATEWAY, USMP_WIRE_1, USMP_UDP);
    bench.start.confirm_within = 700 * BENCH_MILLISECONDS;
    bench_begin_prepared(&bench);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_session_ok(&bench);
    assert_int_equal(bench_advance_to_deadline(&bench, 200 * BENCH_MILLISECONDS), USMP_SESSION_OVER);
    bench_end(&bench);
}

static void the_utack_of_session_ok_confirms(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(bench_receive_utack(&bench, USMP_SESSION_OK, 1), USMP_SESSION_UNEXPECTED);
    assert_false(bench.session.confirmed);
    assert_int_equal(bench_receive_utack(&bench, USMP_SESSION_OK, 0), USMP_SESSION_NOTHING);
    assert_true(usmp_session_can_send(&bench.session));
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    assert_int_equal(bench_receive_utack(&bench, USMP_SESSION_OK, 0), USMP_SESSION_UNEXPECTED);
    bench_end(&bench);
}

/* Section 4: "first frame that opens: ends the repeats of SESSION_OK"; what does not open does not. */
static void the_first_frame_that_opens_confirms(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin(&bench, USMP_GATEWAY, version, USMP_UDP);
        bench_make(&bench, USMP_DATA, 0, "first", 5);
        bench.frame[USMP_HEADER_SIZE + 3] ^= 1; /* the nonce */
        uint8_t payload[USMP_PAYLOAD_MAX];
        memcpy(payload, bench.frame + USMP_HEADER_SIZE, bench.frame_size - USMP_HEADER_SIZE);
        usmp_frame_write(version, USMP_DATA, 0, payload, bench.frame_size - USMP_HEADER_SIZE, bench.frame);
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_NOT_AUTHENTIC);
        assert_false(bench.session.confirmed);

        /* Confirmed by opening, whatever the owner then says. */
        assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "first"), USMP_SESSION_OFFER);
        usmp_session_refuse(&bench.session);
        assert_true(bench.session.confirmed);
        assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
        bench_end(&bench);
    }
}

static void paused_it_repeats_nothing_but_still_ends(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    usmp_session_pause(&bench.session, true, bench.now);
    assert_int_equal(bench_advance_to_deadline(&bench, BENCH_CONFIRM_WITHIN), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_UNCONFIRMED);
    bench_end(&bench);
}

static void resumed_it_goes_on_with_what_is_due(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"down", 4, bench.now), USMP_SEND_STARTED);
    bench_assert_frame(&bench, USMP_DATA, 0, "down");
    usmp_session_pause(&bench.session, true, bench.now);
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    bench.now += 3 * BENCH_SECONDS;
    assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    bench_assert_silence(&bench);
    /* Answers go on. */
    bench_deliver(&bench, 0, "up");
    usmp_session_pause(&bench.session, false, bench.now);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_DATA, 0, "down");
    bench_end(&bench);
}

static void tcp_cannot_be_paused(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    usmp_session_pause(&bench.session, true, bench.now);
    assert_true(usmp_session_can_send(&bench.session));
    bench_end(&bench);
}

static void wiping_is_allowed_in_every_state(void **state)
{
    (void)state;
    static struct usmp_session zero;
    usmp_session_wipe(&zero);

    /* With every block that a session can hold: part of a message, REKEY with a message in flight. */
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"down", 4, bench.now), USMP_SEND_STARTED);
    char salt[USMP_REKEY_SALT_SIZE] = "salt";
    bench_make(&bench, USMP_REKEY, 0, salt, sizeof salt);
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_NOTHING);
    usmp_keys_rekey(&bench.keys, USMP_DEVICE, bench.start.session_id, (const uint8_t *)salt, &bench.keys);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "part"), USMP_SESSION_NOTHING);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 1);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 1);
    bench_ignore_sent(&bench);
    bench_end(&bench);

    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_1, USMP_UDP);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"down", 4, bench.now), USMP_SEND_STARTED);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REFLECTED], 1);
    bench_ignore_sent(&bench);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_in_place_when_session_ok_leaves),
        cmocka_unit_test(a_device_begins_in_silence_and_may_send),
        cmocka_unit_test(over_tcp_a_gateway_may_send_at_once),
        cmocka_unit_test(session_ok_is_repeated_until_time_is_up),
        cmocka_unit_test(session_ok_is_not_repeated_past_its_time),
        cmocka_unit_test(the_utack_of_session_ok_confirms),
        cmocka_unit_test(the_first_frame_that_opens_confirms),
        cmocka_unit_test(paused_it_repeats_nothing_but_still_ends),
        cmocka_unit_test(resumed_it_goes_on_with_what_is_due),
        cmocka_unit_test(tcp_cannot_be_paused),
        cmocka_unit_test(wiping_is_allowed_in_every_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
