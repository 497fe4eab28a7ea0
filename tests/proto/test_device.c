#include "proto/device_bench.h"

#include <string.h>

#include <usmp/keys.h>
#include <usmp/record.h>
#include <usmp/utack.h>

/* docs/protocol.md sections 2 and 4, "the device role": from HELLO to the session, and what is repeated. */

static void a_handshake_ends_in_a_session(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (int index = 0; index < 4; index++) {
        device_bench_connect(index < 2 ? USMP_WIRE_1 : USMP_WIRE_2, transports[index % 2]);
        struct usmp_transcript seen = device_bench_transcript();
        struct usmp_keys keys;
        assert_int_equal(usmp_keys_derive(USMP_GATEWAY, device_bench.gateway_private, &seen, &keys), USMP_KEYS_DERIVED);

        assert_true(usmp_session_can_send(&device_bench.device.session));
        enum usmp_send_verdict verdict =
            usmp_session_send(&device_bench.device.session, (const uint8_t *)"up", 2, device_bench.now);
        assert_int_equal(verdict, transports[index % 2] == USMP_TCP ? USMP_SEND_WRITTEN : USMP_SEND_STARTED);
        struct usmp_frame frame = device_bench_see_frame(USMP_DATA, 0);
        const struct usmp_record_context context = {keys.device_to_gateway, device_bench.session_ok.session_id,
                                                    USMP_AES_256_GCM};
        uint8_t plaintext[USMP_PLAINTEXT_MAX];
        size_t size;
        assert_int_equal(usmp_record_open(&context, &frame, plaintext, &size), USMP_RECORD_OPENED);
        assert_memory_equal(plaintext, "up", 2);
        device_bench_end();
    }
}

static void secrets_of_the_handshake_do_not_outlive_it(void **state)
{
    (void)state;
    device_bench_connect(USMP_WIRE_2, USMP_UDP);
    static const uint8_t zeros[sizeof device_bench.start.psk];
    assert_memory_equal(device_bench.device.start.private_key, zeros, sizeof device_bench.device.start.private_key);
    assert_memory_equal(&device_bench.device.start.psk, zeros, sizeof device_bench.device.start.psk);
    device_bench_end();
}

/* "500 ms, five sends" */
static void hello_is_repeated_until_acknowledged(void **state)
{
    (void)state;
    device_bench_begin(USMP_WIRE_2, USMP_UDP);
    for (int repeat = 1; repeat < 5; repeat++) {
        assert_int_equal(usmp_device_deadline(&device_bench.device), device_bench.now + 500000);
        device_bench.now += 499999;
        assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_NOTHING);
        device_bench_assert_silence();
        device_bench.now++;
        assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_NOTHING);
        device_bench_see_hello(0, NULL);
        device_bench_assert_silence();
    }
    device_bench.now += 500000;
    assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_OVER);
    assert_int_equal(device_bench.device.state, USMP_DEVICE_FAILED);
    assert_int_equal(device_bench.device.failure, USMP_DEVICE_NO_ANSWER);
    assert_int_equal(usmp_device_deadline(&device_bench.device), USMP_NEVER);
    assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_NOTHING);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(device_bench_receive_utack(USMP_HELLO, 0), USMP_SESSION_UNEXPECTED);
    device_bench_end();
}

static void an_acknowledged_hello_waits_for_its_answer(void **state)
{
    (void)state;
    device_bench_begin(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(device_bench_receive_utack(USMP_HELLO, 1), USMP_SESSION_UNEXPECTED);
    assert_int_equal(device_bench_receive_utack(USMP_HELLO_ACK, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(usmp_device_receive_utack(&device_bench.device, (const uint8_t *)"no utack", 8, device_bench.now),
                     USMP_SESSION_UNEXPECTED);
    assert_int_equal(usmp_device_deadline(&device_bench.device), DEVICE_BENCH_START + 500000);
    assert_int_equal(device_bench_receive_utack(USMP_HELLO, 0), USMP_SESSION_NOTHING);
    assert_int_equal(usmp_device_deadline(&device_bench.device), DEVICE_BENCH_START + DEVICE_BENCH_GIVE_UP_AFTER);
    device_bench.now = DEVICE_BENCH_START + DEVICE_BENCH_GIVE_UP_AFTER - 1;
    assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_NOTHING);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
    device_bench_see_utack(USMP_CHALLENGE, 0);
    device_bench_see_hello_ack(2);
    /* Time is up for the whole handshake, acknowledged or not. */
    assert_int_equal(usmp_device_deadline(&device_bench.device), DEVICE_BENCH_START + DEVICE_BENCH_GIVE_UP_AFTER);
    device_bench.now++;
    assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_OVER);
    assert_int_equal(device_bench.device.failure, USMP_DEVICE_NO_ANSWER);
    device_bench_end();
}

static void hello_ack_is_repeated_until_acknowledged(void **state)
{
    (void)state;
    device_bench_begin(USMP_WIRE_1, USMP_UDP);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
    device_bench_see_utack(USMP_CHALLENGE, 0);
    device_bench_see_hello_ack(0);
    device_bench.now += 500000;
    assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_NOTHING);
    device_bench_see_hello_ack(0);
    assert_int_equal(device_bench_receive_utack(USMP_HELLO_ACK, 0), USMP_SESSION_NOTHING);
    assert_int_equal(usmp_device_deadline(&device_bench.device), DEVICE_BENCH_START + DEVICE_BENCH_GIVE_UP_AFTER);
    device_bench_end();
}

static void each_frame_has_sends_of_its_own(void **state)
{
    (void)state;
    device_bench_begin(USMP_WIRE_2, USMP_UDP);
    for (int repeat = 1; repeat < 5; repeat++) {
        device_bench.now += 500000;
        assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_NOTHING);
    }
    device_bench.seen_count = device_bench.sent_count;
    assert_int_equal(device_bench_receive_utack(USMP_HELLO, 0), USMP_SESSION_NOTHING);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
    device_bench_see_utack(USMP_CHALLENGE, 0);
    device_bench_see_hello_ack(2);
    for (int repeat = 1; repeat < 5; repeat++) {
        assert_int_equal(usmp_device_deadline(&device_bench.device), device_bench.now + 500000);
        device_bench.now += 500000;
        assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_NOTHING);
        device_bench_see_hello_ack(2);
    }
    device_bench.now += 500000;
    assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_OVER);
    assert_int_equal(device_bench.device.failure, USMP_DEVICE_NO_ANSWER);
    device_bench_end();
}

static void once_connected_the_session_speaks(void **state)
{
    (void)state;
    device_bench_connect(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_device_deadline(&device_bench.device), USMP_NEVER);
    assert_int_equal(usmp_session_ping(&device_bench.device.session, device_bench.now), USMP_SEND_STARTED);
    device_bench_see_frame(USMP_PING, 0);
    assert_int_equal(usmp_device_deadline(&device_bench.device), device_bench.now + 500000);
    device_bench.now += 500000;
    assert_int_equal(usmp_device_advance(&device_bench.device, device_bench.now), USMP_SESSION_NOTHING);
    device_bench_see_frame(USMP_PING, 0);
    struct usmp_transcript seen = device_bench_transcript();
    struct usmp_keys keys;
    struct usmp_utack_key key;
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    assert_int_equal(usmp_keys_derive(USMP_GATEWAY, device_bench.gateway_private, &seen, &keys), USMP_KEYS_DERIVED);
    usmp_utack_key_init(&key, keys.device_to_gateway);
    size_t size = usmp_utack_write_keyed(&key, USMP_PING, 0, utack);
    assert_int_equal(usmp_device_receive_utack(&device_bench.device, utack, size, device_bench.now),
                     USMP_SESSION_NOTHING);
    assert_int_equal(usmp_device_deadline(&device_bench.device), USMP_NEVER);

    uint8_t frame[USMP_FRAME_MAX];
    const struct usmp_record_context context = {keys.gateway_to_device, device_bench.session_ok.session_id,
                                                USMP_AES_256_GCM};
    size = usmp_record_seal(&context, USMP_WIRE_2, USMP_BYE, 0, NULL, 0, frame);
    assert_int_equal(device_bench_receive(frame, size), USMP_SESSION_OVER);
    assert_int_equal(device_bench.device.session.end, USMP_END_BYE);
    device_bench.seen_count = device_bench.sent_count;
    device_bench_end();
}

static void over_tcp_a_handshake_frame_in_the_session_ends_it(void **state)
{
    (void)state;
    device_bench_connect(USMP_WIRE_2, USMP_TCP);
    assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_OVER);
    assert_int_equal(device_bench.device.session.end, USMP_END_PROTOCOL);
    device_bench_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_ends_in_a_session),
        cmocka_unit_test(secrets_of_the_handshake_do_not_outlive_it),
        cmocka_unit_test(hello_is_repeated_until_acknowledged),
        cmocka_unit_test(an_acknowledged_hello_waits_for_its_answer),
        cmocka_unit_test(hello_ack_is_repeated_until_acknowledged),
        cmocka_unit_test(each_frame_has_sends_of_its_own),
        cmocka_unit_test(once_connected_the_session_speaks),
        cmocka_unit_test(over_tcp_a_handshake_frame_in_the_session_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
