#include "proto/session_bench.h"

#include <string.h>

#include <usmp/utack.h>

/* docs/protocol.md section 4: forms and keys of UTACKs. */

static void begin_with_message(struct bench *bench, uint8_t version)
{
    bench_begin_confirmed(bench, USMP_GATEWAY, version, USMP_UDP);
    assert_int_equal(usmp_session_send(&bench->session, (const uint8_t *)"down", 4, bench->now), USMP_SEND_STARTED);
    bench_assert_frame(bench, USMP_DATA, 0, "down");
}

static enum usmp_session_verdict receive(struct bench *bench, const uint8_t *bytes, size_t size)
{
    return usmp_session_receive_utack(&bench->session, bytes, size, bench->now);
}

static size_t make_utack(const uint8_t *record_key, uint32_t seq, uint8_t *utack)
{
    struct usmp_utack_key key;
    usmp_utack_key_init(&key, record_key);
    return usmp_utack_write_keyed(&key, USMP_DATA, seq, utack);
}

static void only_what_is_in_flight_counts(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin_with_message(&bench, version);
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 1), USMP_SESSION_UNEXPECTED);
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA_FRAG, 0), USMP_SESSION_UNEXPECTED);
        assert_int_equal(bench_receive_utack(&bench, USMP_HELLO_RETRY, 0), USMP_SESSION_UNEXPECTED);
        assert_int_equal(bench_receive_utack(&bench, USMP_CHALLENGE, 0), USMP_SESSION_UNEXPECTED);
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
        assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_UNEXPECTED);
        bench_end(&bench);
    }
}

/* "Without a right MAC it is ignored". */
static void on_wire_2_the_mac_must_be_there_and_right(void **state)
{
    (void)state;
    struct bench bench;
    begin_with_message(&bench, USMP_WIRE_2);
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    size_t size = usmp_utack_write_plain(USMP_DATA, 0, utack);
    assert_int_equal(receive(&bench, utack, size), USMP_SESSION_NOT_AUTHENTIC);
    size = make_utack(bench.keys.device_to_gateway, 0, utack); /* the other direction's key */
    assert_int_equal(receive(&bench, utack, size), USMP_SESSION_NOT_AUTHENTIC);
    size = make_utack(bench.keys.gateway_to_device, 0, utack);
    for (size_t index = USMP_UTACK_PLAIN_SIZE; index < size; index++) {
        utack[index] ^= 0x10;
        assert_int_equal(receive(&bench, utack, size), USMP_SESSION_NOT_AUTHENTIC);
        utack[index] ^= 0x10;
    }
    assert_int_equal(receive(&bench, utack, size - 1), USMP_SESSION_NOT_AUTHENTIC);
    assert_int_equal(receive(&bench, utack, size), USMP_SESSION_SENT);
    bench_end(&bench);
}

static void trailing_bytes_do_not_matter(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct bench bench;
        begin_with_message(&bench, version);
        uint8_t utack[64] = {0};
        make_utack(bench.keys.gateway_to_device, 0, utack);
        assert_int_equal(receive(&bench, utack, sizeof utack), USMP_SESSION_SENT);
        bench_end(&bench);
    }
}

static void what_is_no_utack_is_unexpected(void **state)
{
    (void)state;
    struct bench bench;
    begin_with_message(&bench, USMP_WIRE_1);
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    size_t size = usmp_utack_write_plain(USMP_DATA, 0, utack);
    assert_int_equal(receive(&bench, utack, size - 1), USMP_SESSION_UNEXPECTED);
    assert_int_equal(receive(&bench, utack, 0), USMP_SESSION_UNEXPECTED);
    utack[1] = 0xAB;
    assert_int_equal(receive(&bench, utack, size), USMP_SESSION_UNEXPECTED);
    bench_end(&bench);
}

static void tcp_has_no_utacks(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_TCP);
    assert_int_equal(bench_receive_utack(&bench, USMP_SESSION_OK, 0), USMP_SESSION_UNEXPECTED);
    bench_end(&bench);
}

/* A stale MAC behind a UTACK of the handshake (ESP32 up to 1.0.0) does not spoil it. */
static void the_utack_of_session_ok_may_carry_anything_behind_it(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
    uint8_t utack[USMP_UTACK_KEYED_SIZE] = {0};
    usmp_utack_write_plain(USMP_SESSION_OK, 0, utack);
    assert_int_equal(receive(&bench, utack, sizeof utack), USMP_SESSION_NOTHING);
    assert_true(bench.session.confirmed);
    bench_end(&bench);
}

/* A UTACK must fit what is in flight: its seq was that of another frame before. */
static void an_old_utack_does_not_acknowledge_a_new_frame(void **state)
{
    (void)state;
    struct bench bench;
    begin_with_message(&bench, USMP_WIRE_2);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_SENT);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"next", 4, bench.now), USMP_SEND_STARTED);
    bench_assert_frame(&bench, USMP_DATA, 1, "next");
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(bench_receive_utack(&bench, USMP_DATA, 1), USMP_SESSION_SENT);
    bench_end(&bench);
}

static void a_device_checks_the_gateways_utacks_with_its_own_key(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_session_send(&bench.session, (const uint8_t *)"up", 2, bench.now), USMP_SEND_STARTED);
    bench_assert_frame(&bench, USMP_DATA, 0, "up");
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    size_t size = make_utack(bench.keys.gateway_to_device, 0, utack);
    assert_int_equal(receive(&bench, utack, size), USMP_SESSION_NOT_AUTHENTIC);
    size = make_utack(bench.keys.device_to_gateway, 0, utack);
    assert_int_equal(receive(&bench, utack, size), USMP_SESSION_SENT);
    bench_deliver(&bench, 0, "down");
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_in_flight_counts),
        cmocka_unit_test(on_wire_2_the_mac_must_be_there_and_right),
        cmocka_unit_test(trailing_bytes_do_not_matter),
        cmocka_unit_test(what_is_no_utack_is_unexpected),
        cmocka_unit_test(tcp_has_no_utacks),
        cmocka_unit_test(the_utack_of_session_ok_may_carry_anything_behind_it),
        cmocka_unit_test(an_old_utack_does_not_acknowledge_a_new_frame),
        cmocka_unit_test(a_device_checks_the_gateways_utacks_with_its_own_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
