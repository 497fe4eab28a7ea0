#include "proto/session_bench.h"

#include <string.h>

#include <usmp/keys.h>
#include <usmp/utack.h>

/* docs/protocol.md sections 3 and 4 on REKEY, docs/security.md rule 19. */

static const uint8_t salt[USMP_REKEY_SALT_SIZE] = "thirty-two bytes that are random";
static uint8_t message[USMP_MESSAGE_MAX];

static void begin(struct bench *bench)
{
    bench_begin_confirmed(bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
}

static enum usmp_role sender_of_rekey(const struct bench *bench)
{
    return bench->start.role == USMP_GATEWAY ? USMP_DEVICE : USMP_GATEWAY;
}

static void peer_switches(struct bench *bench, enum usmp_role sender)
{
    usmp_keys_rekey(&bench->keys, sender, bench->start.session_id, salt, &bench->keys);
}

/* The peer sends REKEY, gets its UTACK under the old key and switches. */
static void rekey(struct bench *bench, uint32_t seq)
{
    const struct usmp_keys old = bench->keys;
    bench_make(bench, USMP_REKEY, seq, salt, sizeof salt);
    assert_int_equal(bench_receive_frame(bench), USMP_SESSION_NOTHING);
    bench_assert_utack_under(bench, &old, USMP_REKEY, seq);
    peer_switches(bench, sender_of_rekey(bench));
}

static enum usmp_session_verdict receive_utack_under(struct bench *bench, const struct usmp_keys *keys, uint8_t type,
                                                     uint32_t seq)
{
    const struct usmp_keys now = bench->keys;
    bench->keys = *keys;
    enum usmp_session_verdict verdict = bench_receive_utack(bench, type, seq);
    bench->keys = now;
    return verdict;
}

static void send_message(struct bench *bench, size_t size)
{
    assert_int_equal(usmp_session_send(&bench->session, message, size, bench->now), USMP_SEND_STARTED);
}

static void seq_and_window_start_anew_under_the_new_keys(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    bench_deliver(&bench, 99, "old");
    const struct usmp_keys old = bench.keys;
    rekey(&bench, 100);
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
    assert_int_equal(usmp_session_send(&bench.session, message, 3, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    bench_make(&bench, USMP_REKEY, 1, salt, sizeof salt);
    bench.blocks_left[USMP_BLOCK_REKEY] = 0; /* nothing of the old keys is needed */
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_NOTHING);
    peer_switches(&bench, USMP_DEVICE);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(usmp_session_send(&bench.session, message, 3, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    bench_end(&bench);
}

/* Over UDP what we send goes on above all that was sent before. */
static void over_udp_no_seq_of_ours_comes_twice(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    for (uint32_t seq = 0; seq < 3; seq++) {
        send_message(&bench, 3);
        bench_assert_frame_bytes(&bench, USMP_DATA, seq, message, 3);
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA, seq), USMP_SESSION_SENT);
    }
    rekey(&bench, 0);
    send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 3, message, 3);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 3), USMP_SESSION_SENT);
    bench_end(&bench);
}

/* "copy of the REKEY frame, byte for byte: the stored 15 bytes; no other frame opens under the old key". */
static void copies_of_rekey_are_answered_until_a_new_frame_has_opened(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    const struct usmp_keys old = bench.keys;
    rekey(&bench, 4);
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
    bench_make(&bench, USMP_REKEY, 4, salt, sizeof salt);
    bench.keys = new;
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_NOT_AUTHENTIC);
    bench_end(&bench);
}

static void without_a_block_rekey_is_not_taken(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    bench.blocks_left[USMP_BLOCK_REKEY] = 0;
    bench_make(&bench, USMP_REKEY, 0, salt, sizeof salt);
    for (int copy = 0; copy < 20; copy++) /* and costs nothing of the control frames' budget */
        assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_NOT_NOW);
    bench_deliver(&bench, 1, "old key");
    bench.blocks_left[USMP_BLOCK_REKEY] = 1;
    rekey(&bench, 2);
    bench_end(&bench);
}

static void rekeys_are_counted_as_control_frames(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    for (int count = 0; count < 8; count++)
        rekey(&bench, 0);
    bench_make(&bench, USMP_REKEY, 0, salt, sizeof salt);
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_OVER);
    assert_int_equal(bench.session.end, USMP_END_PROTOCOL);
    bench_end(&bench);
}

/* "Inside a fragmented message: TCP ends; UDP: drop the partial and apply it." */
static void rekey_inside_a_fragmented_message(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "lost"), USMP_SESSION_NOTHING);
    bench_assert_utack(&bench, USMP_DATA_FRAG, 0);
    rekey(&bench, 1);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_MESSAGE], 0);
    bench_deliver(&bench, 1, "whole");
    bench_end(&bench);

    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    assert_int_equal(bench_receive(&bench, USMP_DATA_FRAG, 0, "lost"), USMP_SESSION_NOTHING);
    bench_make(&bench, USMP_REKEY, 1, salt, sizeof salt);
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
        begin(&bench);
        assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "to disk"), USMP_SESSION_OFFER);
        usmp_session_defer(&bench.session);
        rekey(&bench, 1);
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

/* "If its UTACK comes under the old key it has arrived". */
static void a_message_in_flight_may_still_be_acknowledged_under_the_old_key(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    const struct usmp_keys old = bench.keys;
    rekey(&bench, 0);
    assert_false(usmp_session_can_send(&bench.session));
    assert_int_equal(receive_utack_under(&bench, &bench.keys, USMP_DATA, 0), USMP_SESSION_NOT_AUTHENTIC);
    assert_int_equal(receive_utack_under(&bench, &old, USMP_DATA, 0), USMP_SESSION_SENT);
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
    begin(&bench);
    send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    const struct usmp_keys old = bench.keys;
    rekey(&bench, 0);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 1);
    assert_int_equal(receive_utack_under(&bench, &old, USMP_DATA, 0), USMP_SESSION_SENT);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    bench_end(&bench);
}

static void the_old_key_is_not_kept_longer_than_that(void **state)
{
    (void)state;
    for (int is_cancelled = 0; is_cancelled < 2; is_cancelled++) {
        struct bench bench;
        begin(&bench);
        send_message(&bench, 3);
        bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
        rekey(&bench, 0);
        bench_deliver(&bench, 0, "new");
        if (is_cancelled) {
            assert_true(usmp_session_cancel(&bench.session));
        } else {
            assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
            bench_assert_frame_bytes(&bench, USMP_DATA, 1, message, 3);
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
    begin(&bench);
    send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    bench.now += 400 * BENCH_MILLISECONDS;
    const struct usmp_keys old = bench.keys;
    rekey(&bench, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, message, 3);
    assert_int_equal(receive_utack_under(&bench, &old, USMP_DATA, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(receive_utack_under(&bench, &old, USMP_DATA, 1), USMP_SESSION_NOT_AUTHENTIC);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, message, 3);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 1), USMP_SESSION_SENT);
    bench_end(&bench);
}

/* 500 ms, or the rest of its time if that is longer. */
static void a_frame_that_was_due_later_waits_that_long(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    send_message(&bench, 3);
    for (int repeat = 0; repeat < 3; repeat++) {
        bench.now = usmp_session_deadline(&bench.session);
        assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    }
    bench_ignore_sent(&bench);
    bench.now += 1000 * BENCH_MILLISECONDS; /* of 4 seconds */
    rekey(&bench, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 3000 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, message, 3);
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
        bench_assert_frame_bytes(bench, type, ++seq, message + offset, is_last ? size - offset : USMP_PLAINTEXT_MAX);
        assert_int_equal(bench_receive_utack(bench, type, seq), is_last ? USMP_SESSION_SENT : USMP_SESSION_NOTHING);
    }
}

static void a_message_in_fragments_is_sent_again_from_its_first(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, message, USMP_PLAINTEXT_MAX);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 0), USMP_SESSION_NOTHING);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 1, message + USMP_PLAINTEXT_MAX, USMP_PLAINTEXT_MAX);
    rekey(&bench, 0);
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
    begin(&bench);
    send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, message, USMP_PLAINTEXT_MAX);
    const struct usmp_keys old = bench.keys;
    rekey(&bench, 0);
    assert_int_equal(receive_utack_under(&bench, &old, USMP_DATA_FRAG, 0), USMP_SESSION_NOTHING);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    expect_whole_message_again(&bench, 2, 1000);
    bench_deliver(&bench, 0, "new");
    bench_end(&bench);
}

static void an_old_utack_of_the_last_fragment_is_the_messages(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    send_message(&bench, USMP_PLAINTEXT_MAX + 1);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, message, USMP_PLAINTEXT_MAX);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 0), USMP_SESSION_NOTHING);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, message + USMP_PLAINTEXT_MAX, 1);
    const struct usmp_keys old = bench.keys;
    rekey(&bench, 0);
    assert_int_equal(receive_utack_under(&bench, &old, USMP_DATA, 1), USMP_SESSION_SENT);
    assert_true(usmp_session_can_send(&bench.session));
    bench_end(&bench);
}

static void between_two_fragments_the_message_begins_anew_at_once(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, message, USMP_PLAINTEXT_MAX);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 0), USMP_SESSION_NOTHING);
    rekey(&bench, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    expect_whole_message_again(&bench, 2, 1000);
    bench_end(&bench);
}

static void a_message_may_be_cancelled_while_its_old_utack_is_awaited(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    const struct usmp_keys old = bench.keys;
    rekey(&bench, 0);
    assert_true(usmp_session_cancel(&bench.session));
    assert_int_equal(receive_utack_under(&bench, &old, USMP_DATA, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(usmp_session_deadline(&bench.session), USMP_NEVER);
    send_message(&bench, 5);
    bench_assert_frame_bytes(&bench, USMP_DATA, 1, message, 5);
    bench_end(&bench);
}

static void a_message_that_has_not_begun_anew_needs_no_further_fence(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, message, USMP_PLAINTEXT_MAX);
    rekey(&bench, 0);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_PONG, 2, "");
    assert_true(usmp_session_cancel(&bench.session));
    assert_int_equal(bench_receive_utack(&bench, USMP_PONG, 2), USMP_SESSION_NOTHING);
    send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 3, message, 3);
    bench_end(&bench);
}

static void a_pong_in_flight_is_dropped_and_one_that_is_owed_is_not(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    for (uint32_t seq = 0; seq < 2; seq++) {
        assert_int_equal(bench_receive(&bench, USMP_PING, seq, ""), USMP_SESSION_NOTHING);
        bench_assert_utack(&bench, USMP_PING, seq);
    }
    assert_int_equal(bench_advance(&bench), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_PONG, 0, "");
    rekey(&bench, 2);
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
    begin(&bench);
    send_message(&bench, 1000);
    bench_assert_frame_bytes(&bench, USMP_DATA_FRAG, 0, message, USMP_PLAINTEXT_MAX);
    rekey(&bench, 0);
    rekey(&bench, 0); /* while the first one's old UTACK is awaited */
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    bench_assert_frame(&bench, USMP_PONG, 2, "");
    rekey(&bench, 0); /* while the fence is in flight */
    assert_int_equal(bench_advance_to_deadline(&bench, 0), USMP_SESSION_NOTHING);
    expect_whole_message_again(&bench, 4, 1000);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    bench_end(&bench);
}

static void the_suite_is_kept(void **state)
{
    (void)state;
    struct bench bench;
    bench_prepare(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    bench.suite = USMP_CHACHA20_POLY1305;
    bench_begin_prepared(&bench);
    rekey(&bench, 0);
    assert_int_equal(bench.session.cipher, USMP_CIPHER_CHACHA20_POLY1305);
    bench_deliver(&bench, 0, "new");
    send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    bench_end(&bench);
}

/* "A Python device switches its own keys when the UTACK of its REKEY arrives"; ours does the same. */
static void a_device_switches_when_its_rekey_is_acknowledged(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_BUSY);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
    assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 1, salt, sizeof salt);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 1, salt, sizeof salt);
    bench_deliver(&bench, 0, "under the old keys");
    assert_int_equal(bench_receive_utack(&bench, USMP_REKEY, 1), USMP_SESSION_NOTHING);
    assert_int_equal(bench.blocks_out[USMP_BLOCK_REKEY], 0);
    peer_switches(&bench, USMP_DEVICE);
    bench_deliver(&bench, 0, "under the new keys");
    send_message(&bench, 3);
    bench_assert_frame_bytes(&bench, USMP_DATA, 0, message, 3);
    bench_end(&bench);
}

static void the_block_of_our_own_rekey_comes_back(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 0, salt, sizeof salt);
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
    assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_WRITTEN);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 1, salt, sizeof salt);
    peer_switches(&bench, USMP_DEVICE);
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
    assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_STARTED);
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
        assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_FORBIDDEN);
        bench_end(&bench);

        bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, transport == 0 ? USMP_TCP : USMP_UDP);
        bench.session.send_next = USMP_SEQ_LAST;
        assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_OVER);
        assert_int_equal(bench.session.end, USMP_END_EXHAUSTED);
        assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_OVER);
        bench_end(&bench);
    }
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    bench.blocks_left[USMP_BLOCK_REKEY] = 0;
    assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_NO_BLOCK);
    assert_true(usmp_session_can_send(&bench.session));
    bench_end(&bench);
}

/* "REKEY: from both". */
static void a_device_follows_a_rekey_of_the_gateway(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    rekey(&bench, 0);
    assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_BUSY);
    bench_deliver(&bench, 0, "new");
    assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 0, salt, sizeof salt);
    bench_end(&bench);
}

static void of_two_rekeys_at_once_ours_stays(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_rekey(&bench.session, salt, bench.now), USMP_SEND_STARTED);
    bench_assert_frame_bytes(&bench, USMP_REKEY, 0, salt, sizeof salt);
    bench_make(&bench, USMP_REKEY, 0, salt, sizeof salt);
    assert_int_equal(bench_receive_frame(&bench), USMP_SESSION_UNEXPECTED);
    assert_int_equal(bench_receive_utack(&bench, USMP_REKEY, 0), USMP_SESSION_NOTHING);
    peer_switches(&bench, USMP_DEVICE);
    bench_deliver(&bench, 0, "new");
    bench_end(&bench);
}

static int setup(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof message; index++)
        message[index] = (uint8_t)(3 * index + (index >> 8));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seq_and_window_start_anew_under_the_new_keys),
        cmocka_unit_test(over_tcp_both_directions_start_anew),
        cmocka_unit_test(over_udp_no_seq_of_ours_comes_twice),
        cmocka_unit_test(copies_of_rekey_are_answered_until_a_new_frame_has_opened),
        cmocka_unit_test(without_a_block_rekey_is_not_taken),
        cmocka_unit_test(rekeys_are_counted_as_control_frames),
        cmocka_unit_test(rekey_inside_a_fragmented_message),
        cmocka_unit_test(a_deferred_message_is_moot_after_rekey),
        cmocka_unit_test(a_message_in_flight_may_still_be_acknowledged_under_the_old_key),
        cmocka_unit_test(the_old_key_is_kept_as_long_as_its_utack_may_come),
        cmocka_unit_test(the_old_key_is_not_kept_longer_than_that),
        cmocka_unit_test(a_message_that_has_not_begun_anew_needs_no_further_fence),
        cmocka_unit_test(the_block_of_our_own_rekey_comes_back),
        cmocka_unit_test(an_unacknowledged_message_is_sent_again_under_the_new_keys),
        cmocka_unit_test(a_frame_that_was_due_later_waits_that_long),
        cmocka_unit_test(a_message_in_fragments_is_sent_again_from_its_first),
        cmocka_unit_test(an_old_utack_of_a_middle_fragment_begins_the_message_anew),
        cmocka_unit_test(an_old_utack_of_the_last_fragment_is_the_messages),
        cmocka_unit_test(between_two_fragments_the_message_begins_anew_at_once),
        cmocka_unit_test(a_message_may_be_cancelled_while_its_old_utack_is_awaited),
        cmocka_unit_test(a_pong_in_flight_is_dropped_and_one_that_is_owed_is_not),
        cmocka_unit_test(a_second_rekey_before_the_message_is_through),
        cmocka_unit_test(the_suite_is_kept),
        cmocka_unit_test(a_device_switches_when_its_rekey_is_acknowledged),
        cmocka_unit_test(over_tcp_a_device_switches_at_once),
        cmocka_unit_test(a_rekey_that_nobody_acknowledges_ends_the_session),
        cmocka_unit_test(a_rekey_that_cannot_leave_is_told_apart),
        cmocka_unit_test(a_device_follows_a_rekey_of_the_gateway),
        cmocka_unit_test(of_two_rekeys_at_once_ours_stays),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
