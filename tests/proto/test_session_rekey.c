#include "proto/rekey_bench.h"

#include <string.h>

/* docs/protocol.md sections 3 and 4 on REKEY, docs/security.md rule 19. */

static void seq_and_window_start_anew_under_the_new_keys(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    bench_deliver(&bench, 99, "old");
    const struct usmp_keys old = bench.keys;
    rekey_receive(&bench, 100);
    assert_true(bench.session.fresh);
    const struct usmp_keys new = bench.keys;
    bench.keys = old;
    assert_int_equal(bench_receive(&bench, USMP_DATA, 101, "old"), USMP_SESSION_NOT_AUTHENTIC);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 99, "old"), USMP_SESSION_NOT_AUTHENTIC);
    bench.keys = new;
    bench_deliver(&bench, 0, "new");
    assert_true(bench.session.newest);
    bench_deliver(&bench, 1, "new");
    bench_end(&bench);
}

static void over_tcp_both_directions_start_anew(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    bench_deliver(&bench, 0, "old");
    assert_int_equal(usmp_session_send(&bench.session, rekey_message, 3, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
    bench_make(&bench, USMP_REKEY, 1, rekey_salt, sizeof rekey_salt);
    bench.blocks_left[USMP_BLOCK_REKEY] = 0; /* nothing of the old keys is needed */
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_NOTHING);
    rekey_peer_switches(&bench, USMP_DEVICE);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(usmp_session_send(&bench.session, rekey_message, 3, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
    bench_end(&bench);
}

/* "copy of the REKEY frame, byte for byte: the stored 15 bytes; no other frame opens under the old key". */
static void copies_of_rekey_are_answered_until_a_new_frame_has_opened(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    const struct usmp_keys old = bench.keys;
    rekey_receive(&bench, 4);
    for (int copy = 0; copy < 2; copy++) {
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_DUPLICATE);
        bench_assert_utack_under(&bench, &old, USMP_REKEY, 4);
        assert_false(bench.session.fresh);
    }
    /* The new keys have not been derived once more. */
    bench.frame[bench.frame_size - 1] ^= 1;
    uint8_t payload[USMP_REKEY_PAYLOAD];
    memcpy(payload, bench.frame + USMP_HEADER_SIZE, sizeof payload);
    usmp_frame_write(USMP_WIRE_2, USMP_REKEY, 4, payload, sizeof payload, bench.frame);
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_NOT_AUTHENTIC);

    bench_deliver(&bench, 0, "new");
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    const struct usmp_keys new = bench.keys;
    bench.keys = old;
    bench_make(&bench, USMP_REKEY, 4, rekey_salt, sizeof rekey_salt);
    bench.keys = new;
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_NOT_AUTHENTIC);
    bench_end(&bench);
}

static void without_a_block_rekey_is_not_taken(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    bench.blocks_left[USMP_BLOCK_REKEY] = 0;
    bench_make(&bench, USMP_REKEY, 0, rekey_salt, sizeof rekey_salt);
    for (int copy = 0; copy < 20; copy++) /* and costs nothing of the control frames' budget */
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_NOT_NOW);
    bench_deliver(&bench, 1, "old key");
    bench.blocks_left[USMP_BLOCK_REKEY] = 1;
    rekey_receive(&bench, 2);
    bench_end(&bench);
}

static void rekeys_are_counted_as_control_frames(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    for (int count = 0; count < 8; count++)
        rekey_receive(&bench, 0);
    bench_make(&bench, USMP_REKEY, 0, rekey_salt, sizeof rekey_salt);
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_PROTOCOL);
    bench_end(&bench);
}

/* "Inside a fragmented message: TCP ends; UDP: drop the partial and apply it." */
static void rekey_inside_a_fragmented_message(void **state)
{
    (void)state;
    struct bench bench;
    rekey_begin(&bench);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "lost"), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_DATA_FRAG, 0);
    rekey_receive(&bench, 1);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);
    bench_deliver(&bench, 1, "whole");
    bench_end(&bench);

    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "lost"), USMP_SESSION_NOTHING);
    bench_make(&bench, USMP_REKEY, 1, rekey_salt, sizeof rekey_salt);
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_PROTOCOL);
    bench_end(&bench);
}

/* The owner may still keep what it had deferred; nobody waits for its UTACK any more. */
static void a_deferred_message_is_moot_after_rekey(void **state)
{
    (void)state;
    for (int accepted = 0; accepted < 2; accepted++) {
        struct bench bench;
        rekey_begin(&bench);
        assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_OFFER);
        usmp_session_defer(&bench.session);
        rekey_receive(&bench, 1);
        /* One ticket at a time: data waits until the owner is done. */
        assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "new"), USMP_SESSION_NOT_NOW);
        usmp_session_settle(&bench.session, accepted == 1, bench.now);
        bench_assert_silence(&bench);
        /* And the next ticket is a good one. */
        assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "new"), USMP_SESSION_OFFER);
        usmp_session_defer(&bench.session);
        usmp_session_settle(&bench.session, true, bench.now);
        bench_assert_utack(&bench, USMP_DATA, 0);
        bench_end(&bench);
    }
}

static void the_suite_is_kept(void **state)
{
    (void)state;
    struct bench bench;
    bench_prepare(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    bench.suite = USMP_CHACHA20_POLY1305;
    bench_begin_prepared(&bench);
    rekey_receive(&bench, 0);
    assert_int_equal(bench.session.cipher, USMP_CIPHER_CHACHA20_POLY1305);
    bench_deliver(&bench, 0, "new");
    rekey_send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
    bench_end(&bench);
}

/* "A Python device switches its own keys when the UTACK of its REKEY arrives"; ours does the same. */
static void a_device_switches_when_its_rekey_is_acknowledged(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    rekey_send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
    assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_BUSY);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
    assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 1, rekey_salt, sizeof rekey_salt);
    assert_int_equal(bench_advance_to_deadline(&bench, 200 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 1, rekey_salt, sizeof rekey_salt);
    bench_deliver(&bench, 0, "under the old keys");
    assert_int_equal(bench_receive_utack(&bench, USMP_REKEY, 1), USMP_SESSION_NOTHING);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    rekey_peer_switches(&bench, USMP_DEVICE);
    bench_deliver(&bench, 0, "under the new keys");
    rekey_send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, rekey_message, 3);
    bench_end(&bench);
}

static void the_block_of_our_own_rekey_comes_back(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 0, rekey_salt, sizeof rekey_salt);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 1);
    assert_int_equal(bench_receive_utack(&bench, USMP_REKEY, 0), USMP_SESSION_NOTHING);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    bench_end(&bench);
}

static void over_tcp_a_device_switches_at_once(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_TCP);
    assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame(&bench, USMP_PING, 0, "");
    bench_deliver(&bench, 0, "old");
    assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 1, rekey_salt, sizeof rekey_salt);
    rekey_peer_switches(&bench, USMP_DEVICE);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(usmp_session_ping(&bench.session, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame(&bench, USMP_PING, 0, "");
    bench_end(&bench);
}

static void a_rekey_that_nobody_acknowledges_ends_the_session(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_STARTED);
    for (int send = 1; send < 5; send++) {
        bench.now = usmp_session_deadline(&bench.session);
        assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    }
    assert_int_equal(bench.sent_count, 5);
    bench_ignore_sent(&bench);
    bench.now = usmp_session_deadline(&bench.session);
    assert_int_equal(bench_advance(&bench), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_GIVEN_UP);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    bench_end(&bench);
}

static void a_rekey_that_cannot_leave_is_told_apart(void **state)
{
    (void)state;
    struct bench bench;
    for (int transport = 0; transport < 2; transport++) {
        bench_begin(&bench, USMP_DEVICE, USMP_WIRE_1, transport == 0 ? USMP_TCP : USMP_UDP);
        assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_FORBIDDEN);
        bench_end(&bench);

        bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, transport == 0 ? USMP_TCP : USMP_UDP);
        bench.session.send_next = USMP_SEQ_LAST;
        assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_OVER);
        assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
        assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_OVER);
        bench_end(&bench);
    }
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    bench.blocks_left[USMP_BLOCK_REKEY] = 0;
    assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_NO_BLOCK);
    assert_true(usmp_session_can_send(&bench.session));
    bench_end(&bench);
}

/* "REKEY: from both". */
static void a_device_follows_a_rekey_of_the_gateway(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    rekey_receive(&bench, 0);
    assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_BUSY);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 0, rekey_salt, sizeof rekey_salt);
    bench_end(&bench);
}

static void of_two_rekeys_at_once_ours_stays(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_rekey(&bench.session, rekey_salt, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 0, rekey_salt, sizeof rekey_salt);
    bench_make(&bench, USMP_REKEY, 0, rekey_salt, sizeof rekey_salt);
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_UNEXPECTED);
    assert_int_equal(bench_receive_utack(&bench, USMP_REKEY, 0), USMP_SESSION_NOTHING);
    rekey_peer_switches(&bench, USMP_DEVICE);
    bench_deliver(&bench, 0, "new");
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seq_and_window_start_anew_under_the_new_keys),
        cmocka_unit_test(over_tcp_both_directions_start_anew),
        cmocka_unit_test(copies_of_rekey_are_answered_until_a_new_frame_has_opened),
        cmocka_unit_test(without_a_block_rekey_is_not_taken),
        cmocka_unit_test(rekeys_are_counted_as_control_frames),
        cmocka_unit_test(rekey_inside_a_fragmented_message),
        cmocka_unit_test(a_deferred_message_is_moot_after_rekey),
        cmocka_unit_test(the_block_of_our_own_rekey_comes_back),
        cmocka_unit_test(the_suite_is_kept),
        cmocka_unit_test(a_device_switches_when_its_rekey_is_acknowledged),
        cmocka_unit_test(over_tcp_a_device_switches_at_once),
        cmocka_unit_test(a_rekey_that_nobody_acknowledges_ends_the_session),
        cmocka_unit_test(a_rekey_that_cannot_leave_is_told_apart),
        cmocka_unit_test(a_device_follows_a_rekey_of_the_gateway),
        cmocka_unit_test(of_two_rekeys_at_once_ours_stays),
    };
    return cmocka_run_group_tests(tests, rekey_setup, NULL);
}
