#include "proto/session_bench.h"

#include <string.h>

#include <usmp/handshake_messages.h>

/* docs/protocol.md section 4: "HELLO with the live session's pub_C: UTACK, nothing" and "the same SESSION_OK for
 * identical copies [of HELLO_ACK], also after the session is up". */

static bool receive(struct bench *bench, const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
    return usmp_session_receive_handshake(&bench->session, &frame, bench->now);
}

static bool receive_hello(struct bench *bench, uint8_t version, uint32_t seq, bool has_cookie,
                          const uint8_t *public_key)
{
    struct usmp_hello hello = {.has_cookie = has_cookie};
    memcpy(hello.public_key, public_key, sizeof hello.public_key);
    uint8_t frame[USMP_HELLO_COOKIE_FRAME];
    size_t size = usmp_hello_write(version, seq, &hello, frame);
    return receive(bench, frame, size);
}

static bool receive_hello_ack(struct bench *bench, uint32_t seq, const uint8_t *hmac)
{
    struct usmp_hello_ack hello_ack;
    memcpy(hello_ack.hmac, hmac, sizeof hello_ack.hmac);
    uint8_t frame[USMP_HELLO_ACK_FRAME];
    size_t size = usmp_hello_ack_write(bench->start.version, seq, &hello_ack, frame);
    return receive(bench, frame, size);
}

static void a_copy_of_hello_is_acknowledged_only(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin(&bench, USMP_GATEWAY, version, USMP_UDP);
        assert_true(receive_hello(&bench, version, 0, false, bench.start.device_public));
        bench_assert_plain_utack(&bench, USMP_HELLO, 0);
        assert_true(receive_hello(&bench, version, 77, version == USMP_WIRE_2, bench.start.device_public));
        bench_assert_plain_utack(&bench, USMP_HELLO, 77);
        assert_false(bench.session.confirmed);
        bench_end(&bench);
    }
}

static void a_copy_of_hello_ack_gets_the_same_session_ok(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        bench_begin(&bench, USMP_GATEWAY, version, USMP_UDP);
        assert_true(receive_hello_ack(&bench, 2, bench.start.hello_ack_hmac));
        bench_assert_plain_utack(&bench, USMP_HELLO_ACK, 2);
        bench_assert_session_ok(&bench);
        /* Also when the session is up. */
        bench_deliver(&bench, 0, "first");
        assert_true(receive_hello_ack(&bench, 2, bench.start.hello_ack_hmac));
        bench_assert_plain_utack(&bench, USMP_HELLO_ACK, 2);
        bench_assert_session_ok(&bench);
        bench_end(&bench);
    }
}

static void another_handshake_is_not_ours(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    uint8_t other[USMP_PUBLIC_KEY_SIZE];
    memcpy(other, bench.start.device_public, sizeof other);
    other[31] ^= 1;
    assert_false(receive_hello(&bench, USMP_WIRE_2, 0, false, other));
    assert_false(receive_hello(&bench, USMP_WIRE_1, 0, false, bench.start.device_public));
    memcpy(other, bench.start.hello_ack_hmac, sizeof other);
    other[0] ^= 1;
    assert_false(receive_hello_ack(&bench, 2, other));
    bench_end(&bench);
}

static void frames_of_a_gateway_are_not_ours(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    const struct bench_sent *session_ok = &bench.sent[0];
    assert_false(receive(&bench, session_ok->bytes, session_ok->size));
    bench_end(&bench);
}

static void over_tcp_and_for_a_device_there_are_no_copies(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    assert_false(receive_hello(&bench, USMP_WIRE_2, 0, false, bench.start.device_public));
    bench_end(&bench);
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_false(receive_hello(&bench, USMP_WIRE_2, 0, false, bench.start.device_public));
    bench_end(&bench);
}

/* It must not begin a new handshake either. */
static void after_the_end_copies_are_known_and_not_answered(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin_confirmed(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(bench_receive(&bench, USMP_BYE, 0, ""), USMP_SESSION_OVER);
    bench_assert_utack(&bench, USMP_BYE, 0);
    assert_true(receive_hello(&bench, USMP_WIRE_2, 0, false, bench.start.device_public));
    assert_true(receive_hello_ack(&bench, 2, bench.start.hello_ack_hmac));
    bench_end(&bench);
}

/* One that was sent because it was asked for is as good as a repeat. */
static void what_was_asked_for_is_not_repeated_at_once(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    bench.now += 499 * BENCH_MILLISECONDS;
    assert_true(receive_hello_ack(&bench, 2, bench.start.hello_ack_hmac));
    bench_ignore_sent(&bench);
    assert_int_equal(bench_advance_to_deadline(&bench, 500 * BENCH_MILLISECONDS), USMP_SESSION_NOTHING);
    bench_assert_session_ok(&bench);
    bench_end(&bench);
}

/* A pause holds back what is ours, not answers. */
static void a_paused_session_answers_copies(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    usmp_session_pause(&bench.session, true, bench.now);
    assert_true(receive_hello_ack(&bench, 2, bench.start.hello_ack_hmac));
    bench_assert_plain_utack(&bench, USMP_HELLO_ACK, 2);
    bench_assert_session_ok(&bench);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_of_hello_is_acknowledged_only),
        cmocka_unit_test(a_copy_of_hello_ack_gets_the_same_session_ok),
        cmocka_unit_test(another_handshake_is_not_ours),
        cmocka_unit_test(frames_of_a_gateway_are_not_ours),
        cmocka_unit_test(over_tcp_and_for_a_device_there_are_no_copies),
        cmocka_unit_test(after_the_end_copies_are_known_and_not_answered),
        cmocka_unit_test(what_was_asked_for_is_not_repeated_at_once),
        cmocka_unit_test(a_paused_session_answers_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
