#include "proto/device_bench.h"

#include <string.h>

#include <usmp/handshake_hmac.h>
#include <usmp/keys.h>

/* docs/protocol.md sections 2 and 4, "the device role": each frame of the handshake, right, wrong and once more. */

/* "follows HELLO_RETRY", once, and "UTACKs 0x0A in the plain form". */
static void hello_retry_is_followed_once(void **state)
{
    (void)state;
    uint8_t cookie[USMP_COOKIE_SIZE];
    memset(cookie, 0xC0, sizeof cookie);
    device_bench_begin(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(device_bench_receive_hello_retry(9, 0xC0), USMP_SESSION_NOTHING);
    device_bench_see_utack(USMP_HELLO_RETRY, 9);
    device_bench_see_hello(1, cookie);
    assert_int_equal(device_bench_receive_hello_retry(9, 0xC0), USMP_SESSION_DUPLICATE);
    device_bench_see_utack(USMP_HELLO_RETRY, 9);
    assert_int_equal(device_bench_receive_hello_retry(10, 0xC1), USMP_SESSION_DUPLICATE);
    device_bench_see_utack(USMP_HELLO_RETRY, 10);
    device_bench_assert_silence();
    /* The cookie HELLO is the one that is repeated now, and acknowledged by its own seq. */
    assert_int_equal(device_bench_receive_utack(USMP_HELLO, 0), USMP_SESSION_UNEXPECTED);
    device_bench.now += 500000;
    assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_NOTHING);
    device_bench_see_hello(1, cookie);
    assert_int_equal(device_bench_receive_utack(USMP_HELLO, 1), USMP_SESSION_NOTHING);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
    device_bench_see_utack(USMP_CHALLENGE, 0);
    device_bench_see_hello_ack(2);
    /* A late copy is answered in every state. */
    assert_int_equal(device_bench_receive_hello_retry(9, 0xC0), USMP_SESSION_DUPLICATE);
    device_bench_see_utack(USMP_HELLO_RETRY, 9);
    assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_NOTHING);
    device_bench_see_utack(USMP_SESSION_OK, 0);
    assert_int_equal(device_bench_receive_hello_retry(9, 0xC0), USMP_SESSION_DUPLICATE);
    device_bench_see_utack(USMP_HELLO_RETRY, 9);
    device_bench_end();
}

/* "answers and filters copies of […] 2 and 4" */
static void copies_of_challenge_and_session_ok_are_answered(void **state)
{
    (void)state;
    device_bench_begin(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
    device_bench_see_utack(USMP_CHALLENGE, 0);
    device_bench_see_hello_ack(2);
    assert_int_equal(device_bench_receive_challenge(3), USMP_SESSION_DUPLICATE);
    device_bench_see_utack(USMP_CHALLENGE, 3);
    assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_NOTHING);
    device_bench_see_utack(USMP_SESSION_OK, 0);
    assert_int_equal(device_bench_receive_session_ok(4), USMP_SESSION_DUPLICATE);
    device_bench_see_utack(USMP_SESSION_OK, 4);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_DUPLICATE);
    device_bench_see_utack(USMP_CHALLENGE, 0);

    device_bench.challenge.nonce[0] ^= 1;
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_UNEXPECTED);
    device_bench.session_ok.hmac[31] ^= 1;
    assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_UNEXPECTED);
    device_bench.session_ok.hmac[31] ^= 1;
    device_bench.session_ok.session_id[0] ^= 1;
    assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_UNEXPECTED);
    device_bench.session_ok.session_id[0] ^= 1;
    device_bench.start.version = USMP_WIRE_1;
    assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_UNEXPECTED);
    device_bench_end();
}

static void another_challenge_is_not_answered_twice(void **state)
{
    (void)state;
    device_bench_begin(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
    device_bench_see_utack(USMP_CHALLENGE, 0);
    device_bench_see_hello_ack(2);
    device_bench.challenge.public_key[0] ^= 1;
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_UNEXPECTED);
    device_bench_end();
}

static void what_does_not_belong_is_dropped_over_udp_and_fatal_over_tcp(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (int index = 0; index < 10; index++) {
        enum usmp_transport transport = transports[index % 2];
        enum usmp_session_verdict verdict;
        device_bench_begin(USMP_WIRE_2, transport);
        if (index / 2 == 0) {
            verdict = device_bench_receive_session_ok(0); /* before CHALLENGE */
        } else if (index / 2 == 1) {
            device_bench.start.version = USMP_WIRE_1;
            verdict = device_bench_receive_challenge(0);
        } else if (index / 2 == 2) {
            uint8_t payload[USMP_CONTROL_PAYLOAD] = {0};
            uint8_t frame[USMP_FRAME_MAX];
            size_t size = usmp_frame_write(USMP_WIRE_2, USMP_DATA, 0, payload, sizeof payload, frame);
            verdict = device_bench_receive(frame, size);
        } else if (index / 2 == 3) {
            struct usmp_hello hello = {.has_cookie = false};
            uint8_t frame[USMP_HELLO_COOKIE_FRAME];
            size_t size = usmp_hello_write(USMP_WIRE_2, 0, &hello, frame);
            verdict = device_bench_receive(frame, size);
        } else {
            assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
            device_bench.challenge.nonce[0] ^= 1;
            verdict = device_bench_receive_challenge(0);
            device_bench.seen_count = device_bench.sent_count;
        }
        if (transport == USMP_UDP) {
            assert_int_equal(verdict, USMP_SESSION_UNEXPECTED);
            assert_int_not_equal(device_bench.device.state, USMP_DEVICE_FAILED);
        } else {
            assert_int_equal(verdict, USMP_SESSION_OVER);
            assert_int_equal(device_bench.device.state, USMP_DEVICE_FAILED);
            assert_int_equal(device_bench.device.failure, USMP_DEVICE_PROTOCOL);
        }
        device_bench_end();
    }
}

static void over_tcp_there_is_no_hello_retry(void **state)
{
    (void)state;
    device_bench_begin(USMP_WIRE_2, USMP_TCP);
    assert_int_equal(usmp_device_deadline(&device_bench.device), DEVICE_BENCH_START + DEVICE_BENCH_GIVE_UP_AFTER);
    assert_int_equal(device_bench_receive_utack(USMP_HELLO, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(device_bench_receive_hello_retry(0, 0xC0), USMP_SESSION_OVER);
    assert_int_equal(device_bench.device.failure, USMP_DEVICE_PROTOCOL);
    device_bench_end();
}

static void a_gateway_with_another_key_is_refused(void **state)
{
    (void)state;
    device_bench_begin(USMP_WIRE_2, USMP_TCP);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
    device_bench_see_hello_ack(2);
    device_bench.session_ok.hmac[0] ^= 1;
    assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_OVER);
    assert_int_equal(device_bench.device.state, USMP_DEVICE_FAILED);
    assert_int_equal(device_bench.device.failure, USMP_DEVICE_WRONG_GATEWAY);
    device_bench_end();
}

/* Over UDP anybody could have sent it. */
static void over_udp_a_wrong_session_ok_is_dropped_and_remembered(void **state)
{
    (void)state;
    for (int right_one_follows = 0; right_one_follows < 2; right_one_follows++) {
        device_bench_begin(USMP_WIRE_2, USMP_UDP);
        assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
        device_bench_see_utack(USMP_CHALLENGE, 0);
        device_bench_see_hello_ack(2);
        device_bench.session_ok.hmac[0] ^= 1;
        assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_NOT_AUTHENTIC);
        device_bench.session_ok.hmac[0] ^= 1;
        if (right_one_follows) {
            assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_NOTHING);
            device_bench_see_utack(USMP_SESSION_OK, 0);
            assert_int_equal(device_bench.device.state, USMP_DEVICE_CONNECTED);
        } else {
            device_bench.now = DEVICE_BENCH_START + DEVICE_BENCH_GIVE_UP_AFTER;
            assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_OVER);
            assert_int_equal(device_bench.device.failure, USMP_DEVICE_WRONG_GATEWAY);
        }
        device_bench_end();
    }
}

static void a_public_key_of_low_order_is_refused(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (int index = 0; index < 2; index++) {
        device_bench_begin(USMP_WIRE_2, transports[index]);
        memset(device_bench.challenge.public_key, 0, sizeof device_bench.challenge.public_key);
        struct usmp_transcript seen = device_bench_transcript();
        usmp_gateway_hmac(&device_bench.start.psk, &seen, device_bench.session_ok.session_id,
                          device_bench.session_ok.hmac);
        assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
        device_bench.seen_count = device_bench.sent_count;
        assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_OVER);
        assert_int_equal(device_bench.device.state, USMP_DEVICE_FAILED);
        assert_int_equal(device_bench.device.failure, USMP_DEVICE_BAD_PUBLIC_KEY);
        device_bench_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_retry_is_followed_once),
        cmocka_unit_test(copies_of_challenge_and_session_ok_are_answered),
        cmocka_unit_test(another_challenge_is_not_answered_twice),
        cmocka_unit_test(what_does_not_belong_is_dropped_over_udp_and_fatal_over_tcp),
        cmocka_unit_test(over_tcp_there_is_no_hello_retry),
        cmocka_unit_test(a_gateway_with_another_key_is_refused),
        cmocka_unit_test(over_udp_a_wrong_session_ok_is_dropped_and_remembered),
        cmocka_unit_test(a_public_key_of_low_order_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
