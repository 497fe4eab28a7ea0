/* The habits of a strict device while it shakes hands (docs/protocol.md sections 2, 4 and 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "device/bench.h"

#define A_DAY (UINT64_C(86400) * 1000000)

static struct bench bench;
static struct bench_sent kept;
static struct bench_sent answer;

static void open_udp(const char *era)
{
    bench_open(&bench, era, &strict_port_arduino, STRICT_UDP);
}

static struct strict_frame begin(const char *era)
{
    open_udp(era);
    bench_begin(&bench);
    return bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO);
}

/* As far as the device waits for SESSION_OK. */
static void begin_as_far_as_hello_ack(const char *era)
{
    struct strict_frame hello = begin(era);
    bench_make_challenge(&bench, &hello, &answer);
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_give(&bench, &answer);
    bench_expect_utack(&bench, STRICT_TYPE_CHALLENGE, 0, NULL);
    uint32_t seq = bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO_ACK).seq;
    bench_send_utack(&bench, STRICT_TYPE_HELLO_ACK, seq, NULL);
}

static void any_encrypted_frame_ends_it(void **state)
{
    (void)state;
    static const uint8_t types[] = {STRICT_TYPE_DATA, STRICT_TYPE_DATA_FRAG, STRICT_TYPE_PONG, STRICT_TYPE_BYE};
    for (size_t i = 0; i < sizeof types; i++) {
        struct strict_frame hello = begin("1.2.2");
        bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
        bench_make_sealed(&bench, types[i], 7, "x", 1, &answer);
        bench_give(&bench, &answer);
        bench_expect_utack(&bench, types[i], 7, NULL);
        bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);

        begin_as_far_as_hello_ack("1.2.2");
        bench_make_sealed(&bench, types[i], 7, "x", 1, &answer);
        bench_give(&bench, &answer);
        bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
    }
}

/* While it waits for the UTACK of its HELLO the frame lies in the slot, and ends the handshake a moment later. */
static void an_encrypted_frame_in_the_slot_ends_it_too(void **state)
{
    (void)state;
    struct strict_frame hello = begin("1.2.2");
    bench_make_sealed(&bench, STRICT_TYPE_DATA, 7, "x", 1, &answer);
    bench_give(&bench, &answer);
    bench_expect_no_event(&bench);
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
}

static void it_waits_for_the_utack_and_then_for_a_frame(void **state)
{
    (void)state;
    struct strict_frame hello = begin("1.2.2");
    bench_make_challenge(&bench, &hello, &answer);
    bench_give(&bench, &answer);
    bench_expect_silence(&bench);
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_expect_utack(&bench, STRICT_TYPE_CHALLENGE, 0, NULL);
    bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO_ACK);
}

static void five_hellos_and_no_more(void **state)
{
    (void)state;
    open_udp("1.1.0");
    bench_begin(&bench);
    bench_wait(&bench, MILLISECONDS(2499));
    assert_int_equal(bench.sent_count, 5);
    for (unsigned i = 1; i < 5; i++)
        assert_memory_equal(bench.sent[i].bytes, bench.sent[0].bytes, bench.sent[0].size);
    bench_expect_no_event(&bench);
    bench_wait(&bench, MILLISECONDS(1));
    assert_int_equal(bench.sent_count, 5);
    bench_expect_over(&bench, STRICT_END_GAVE_UP);
}

/* HELLO_RETRY is lost behind the UTACK. */
static void it_waits_for_ever(void **state)
{
    (void)state;
    static const char *const eras[] = {"0.6.0", "1.0.0", "1.1.0", "1.2.2"};
    for (size_t i = 0; i < sizeof eras / sizeof eras[0]; i++) {
        struct strict_frame hello = begin(eras[i]);
        bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
        bench_wait(&bench, A_DAY);
        bench_expect_silence(&bench);
        bench_expect_no_event(&bench);
    }
}

static void or_five_seconds(void **state)
{
    (void)state;
    struct strict_frame hello = begin("1.3");
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_wait(&bench, MILLISECONDS(4999));
    bench_expect_no_event(&bench);
    bench_wait(&bench, MILLISECONDS(1));
    bench_expect_over(&bench, STRICT_END_TIMED_OUT);

    begin_as_far_as_hello_ack("1.3");
    bench_wait(&bench, MILLISECONDS(5000));
    bench_expect_over(&bench, STRICT_END_TIMED_OUT);
}

static void it_takes_a_cookie(void **state)
{
    (void)state;
    struct strict_frame hello = begin("1.2.2");
    struct bench_sent first = kept;
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_make_hello_retry(&bench, &answer);
    bench_give(&bench, &answer);
    bench_expect_utack(&bench, STRICT_TYPE_HELLO_RETRY, 0, NULL);
    struct strict_frame second = bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO);
    assert_int_equal(second.size, 54);
    assert_memory_equal(second.payload, first.bytes + STRICT_HEADER_SIZE, 38);
    assert_memory_equal(second.payload + 38, answer.bytes + STRICT_HEADER_SIZE, 16);
}

/* The frames of a handshake with cookie and their seq. */
static void expect_numbers(const char *era, uint32_t hello, uint32_t with_cookie, uint32_t hello_ack)
{
    struct strict_frame frame = begin(era);
    assert_int_equal(frame.seq, hello);
    bench_send_utack(&bench, STRICT_TYPE_HELLO, frame.seq, NULL);
    bench_make_hello_retry(&bench, &answer);
    bench_give(&bench, &answer);
    bench_take(&bench);
    frame = bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO);
    assert_int_equal(frame.seq, with_cookie);
    bench_send_utack(&bench, STRICT_TYPE_HELLO, frame.seq, NULL);
    bench_make_challenge(&bench, &frame, &answer);
    bench_give(&bench, &answer);
    bench_take(&bench);
    assert_int_equal(bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO_ACK).seq, hello_ack);
}

static void frames_are_numbered_from_1_1_on(void **state)
{
    (void)state;
    expect_numbers("0.6.0", 0, 0, 0);
    expect_numbers("1.0.0", 0, 0, 0);
    expect_numbers("1.1.0", 0, 1, 2);
    expect_numbers("1.2.2", 0, 1, 2);
    expect_numbers("1.3", 0, 1, 2);
}

/* A HELLO that is repeated before HELLO_RETRY has come brings a second one; versions up to 1.0.0 stumble over it. */
static void second_hello_retry(const char *era, bool stumbles)
{
    struct strict_frame hello = begin(era);
    bench_make_hello_retry(&bench, &answer);
    bench_give(&bench, &answer);
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_take(&bench);
    uint32_t seq = bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO).seq;
    bench_give(&bench, &answer);
    bench_send_utack(&bench, STRICT_TYPE_HELLO, seq, NULL);
    bench_expect_utack(&bench, STRICT_TYPE_HELLO_RETRY, 0, NULL);
    if (stumbles)
        bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
    else
        bench_expect_no_event(&bench);
}

static void a_second_hello_retry(void **state)
{
    (void)state;
    second_hello_retry("0.6.0", true);
    second_hello_retry("1.0.0", true);
    second_hello_retry("1.1.0", false);
    second_hello_retry("1.2.2", false);
    second_hello_retry("1.3", false);
}

/* One that comes while the slot is full is lost, and does no harm. */
static void a_second_hello_retry_before_the_utack(void **state)
{
    (void)state;
    struct strict_frame hello = begin("1.0.0");
    bench_make_hello_retry(&bench, &answer);
    bench_give(&bench, &answer);
    bench_give(&bench, &answer);
    assert_int_equal(bench_expect_event(&bench, STRICT_LOST).type, STRICT_TYPE_HELLO_RETRY);
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_expect_utack(&bench, STRICT_TYPE_HELLO_RETRY, 0, NULL);
    bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO);
    bench_expect_no_event(&bench);
}

static void second_challenge(const char *era, bool stumbles)
{
    begin_as_far_as_hello_ack(era);
    bench_give(&bench, &answer);
    bench_expect_utack(&bench, STRICT_TYPE_CHALLENGE, 0, NULL);
    if (stumbles)
        bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
    else
        bench_expect_no_event(&bench);
}

static void a_second_challenge(void **state)
{
    (void)state;
    second_challenge("0.5", true);
    second_challenge("0.6.0", false);
    second_challenge("1.0.0", false);
    second_challenge("1.3", false);
}

static void every_crc_is_checked(void **state)
{
    (void)state;
    struct strict_frame hello = begin("1.2.2");
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_make_challenge(&bench, &hello, &answer);
    answer.bytes[10] ^= 1;
    bench_give(&bench, &answer);
    bench_expect_over(&bench, STRICT_END_BAD_FRAME);

    begin_as_far_as_hello_ack("1.2.2");
    bench_make_session_ok(&bench, &answer);
    answer.bytes[11] ^= 0x80;
    bench_give(&bench, &answer);
    bench_expect_over(&bench, STRICT_END_BAD_FRAME);
}

static void a_gateway_that_does_not_know_the_key(void **state)
{
    (void)state;
    begin_as_far_as_hello_ack("1.2.2");
    bench.start.psk_size--;
    bench_make_session_ok(&bench, &answer);
    bench_give(&bench, &answer);
    bench_expect_over(&bench, STRICT_END_BAD_GATEWAY);
}

static void a_gateway_whose_public_key_is_nobody_s(void **state)
{
    (void)state;
    uint8_t payload[64] = {1};
    struct strict_frame hello = begin("1.2.2");
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    answer.size = strict_frame_write(2, STRICT_TYPE_CHALLENGE, 0, payload, sizeof payload, answer.bytes);
    bench_give(&bench, &answer);
    bench_expect_over(&bench, STRICT_END_BAD_GATEWAY);
}

static void a_reconnect_under_old_keys(const char *era, bool keeps)
{
    open_udp(era);
    bench_connect(&bench);
    uint8_t old_key[STRICT_KEY_SIZE];
    memcpy(old_key, bench.keys.receive, sizeof old_key);
    assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
    bench_send_sealed(&bench, STRICT_TYPE_BYE, NULL, 0);
    bench_expect_over(&bench, STRICT_END_BYE);
    bench_forget(&bench);
    strict_device_restart(&bench.device, bench.now);
    struct strict_frame hello = bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO);
    bench_send_utack(&bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_make_hello_retry(&bench, &answer);
    bench_give(&bench, &answer);
    bench_expect_utack(&bench, STRICT_TYPE_HELLO_RETRY, 0, keeps ? old_key : NULL);
    bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO);
}

static void an_old_mac_behind_a_reconnect(void **state)
{
    (void)state;
    a_reconnect_under_old_keys("0.6.0", true);
    a_reconnect_under_old_keys("1.0.0", true);
    a_reconnect_under_old_keys("1.1.0", false);
    a_reconnect_under_old_keys("1.2.2", false);
}

static void copies_of_session_ok_are_acknowledged(void **state)
{
    (void)state;
    open_udp("1.2.2");
    bench_connect(&bench);
    bench_make_session_ok(&bench, &answer);
    assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
    bench_give(&bench, &answer);
    bench_expect_utack(&bench, STRICT_TYPE_SESSION_OK, 0, NULL);
    bench_send_sealed(&bench, STRICT_TYPE_DATA, "on", 2);
    bench_expect_event(&bench, STRICT_MESSAGE);
}

/* Late copies of all that the gateway said are acknowledged, and the receive call goes on. */
static void late_copies_of_a_handshake(void **state)
{
    (void)state;
    open_udp("1.2.2");
    bench.era.reads_max = 2; /* what is handed to the receive call counts, and a copy is not */
    bench_connect(&bench);
    assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
    bench_make_hello_retry(&bench, &answer);
    bench_give(&bench, &answer);
    bench_expect_utack(&bench, STRICT_TYPE_HELLO_RETRY, 0, bench.keys.receive);
    uint8_t payload[64] = {0};
    answer.size = strict_frame_write(2, STRICT_TYPE_CHALLENGE, 0, payload, sizeof payload, answer.bytes);
    bench_give(&bench, &answer);
    bench_expect_utack(&bench, STRICT_TYPE_CHALLENGE, 0, NULL);
    assert_int_equal(bench.device.reads, 1);
    bench_send_sealed(&bench, STRICT_TYPE_DATA, "on", 2);
    bench_expect_event(&bench, STRICT_MESSAGE);
}

/* HELLO_RETRY of a first HELLO, when CHALLENGE has come for the second. */
static void a_hello_retry_behind_challenge(void **state)
{
    (void)state;
    begin_as_far_as_hello_ack("1.2.2");
    bench_make_hello_retry(&bench, &answer);
    bench_give(&bench, &answer);
    bench_expect_utack(&bench, STRICT_TYPE_HELLO_RETRY, 0, NULL);
    bench_expect_no_event(&bench);

    begin_as_far_as_hello_ack("1.0.0");
    bench_give(&bench, &answer);
    bench_make_hello_retry(&bench, &answer);
    bench_give(&bench, &answer);
    bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
}

static void another_frame_of_the_size_of_session_ok(void **state)
{
    (void)state;
    begin_as_far_as_hello_ack("1.2.2");
    bench_make_session_ok(&bench, &answer);
    answer.size = strict_frame_write(2, STRICT_TYPE_HELLO_ACK, 0, answer.bytes + STRICT_HEADER_SIZE,
                                     answer.size - STRICT_HEADER_SIZE, answer.bytes);
    bench_give(&bench, &answer);
    bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
}

static void a_stream_has_no_cookie_on_wire_1(void **state)
{
    (void)state;
    bench_open(&bench, "0.4.7", &strict_port_arduino, STRICT_TCP);
    bench_begin(&bench);
    bench_make_hello_retry(&bench, &answer);
    bench_give(&bench, &answer);
    bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
}

static void every_era_shakes_hands(void **state)
{
    (void)state;
    for (size_t i = 0; i < strict_era_count; i++) {
        for (unsigned transport = 0; transport <= (strict_eras[i].has_udp ? STRICT_UDP : STRICT_TCP); transport++) {
            bench_open(&bench, strict_eras[i].name, &strict_port_esp_idf, (enum strict_transport)transport);
            bench_connect(&bench);
            assert_true(bench.device.connected);
            bench_close(&bench);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_era_shakes_hands),
        cmocka_unit_test(any_encrypted_frame_ends_it),
        cmocka_unit_test(an_encrypted_frame_in_the_slot_ends_it_too),
        cmocka_unit_test(it_waits_for_the_utack_and_then_for_a_frame),
        cmocka_unit_test(five_hellos_and_no_more),
        cmocka_unit_test(it_waits_for_ever),
        cmocka_unit_test(or_five_seconds),
        cmocka_unit_test(it_takes_a_cookie),
        cmocka_unit_test(frames_are_numbered_from_1_1_on),
        cmocka_unit_test(a_second_hello_retry),
        cmocka_unit_test(a_second_hello_retry_before_the_utack),
        cmocka_unit_test(a_second_challenge),
        cmocka_unit_test(every_crc_is_checked),
        cmocka_unit_test(a_gateway_that_does_not_know_the_key),
        cmocka_unit_test(a_gateway_whose_public_key_is_nobody_s),
        cmocka_unit_test(an_old_mac_behind_a_reconnect),
        cmocka_unit_test(copies_of_session_ok_are_acknowledged),
        cmocka_unit_test(late_copies_of_a_handshake),
        cmocka_unit_test(a_hello_retry_behind_challenge),
        cmocka_unit_test(another_frame_of_the_size_of_session_ok),
        cmocka_unit_test(a_stream_has_no_cookie_on_wire_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
