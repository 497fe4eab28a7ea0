/* The habits of a strict device while it sends (docs/protocol.md sections 3 to 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "device/bench.h"

static struct bench bench;
static struct bench_sent kept;
static uint8_t long_message[STRICT_MESSAGE_MAX + 1];

static void connect_as(const char *era, const struct strict_port *port)
{
    bench_open(&bench, era, port, STRICT_UDP);
    bench_connect(&bench);
}

static void send_text(const char *text)
{
    assert_int_equal(strict_device_send(&bench.device, (const uint8_t *)text, strlen(text), bench.now), STRICT_BEGUN);
}

static void acknowledge(uint8_t type, uint32_t seq)
{
    bench_send_utack(&bench, type, seq, bench.era.version == 1 ? NULL : bench.keys.send);
}

static void expect_plain(const struct strict_frame *frame, const void *plain, size_t size)
{
    uint8_t opened[STRICT_PAYLOAD_MAX];
    assert_int_equal(frame->size, size + STRICT_SEALED_EXTRA);
    assert_true(strict_open(bench.start.cipher, bench.keys.send, bench.session_id, frame->seq, frame->header,
                            STRICT_AAD_SIZE, frame->payload, frame->size, opened));
    assert_memory_equal(opened, plain, size);
}

static void one_frame_at_a_time(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino);
    for (size_t i = 0; i < sizeof long_message; i++)
        long_message[i] = (uint8_t)(i * 7);
    assert_int_equal(strict_device_send(&bench.device, long_message, 1000, bench.now), STRICT_BEGUN);
    assert_int_equal(strict_device_send(&bench.device, long_message, 1, bench.now), STRICT_BUSY);
    for (uint32_t seq = 0; seq < 3; seq++) {
        uint8_t type = seq < 2 ? STRICT_TYPE_DATA_FRAG : STRICT_TYPE_DATA;
        struct strict_frame frame = bench_take_frame(&bench, &kept, type);
        assert_int_equal(frame.seq, seq);
        expect_plain(&frame, long_message + seq * 452, seq < 2 ? 452 : 96);
        bench_expect_silence(&bench);
        bench_expect_no_event(&bench);
        acknowledge(type, seq);
    }
    bench_expect_event(&bench, STRICT_SENT);
}

static void the_longest_message_and_no_longer(void **state)
{
    (void)state;
    bench_open(&bench, "1.2.2", &strict_port_arduino, STRICT_TCP);
    bench_connect(&bench);
    assert_int_equal(strict_device_send(&bench.device, long_message, STRICT_MESSAGE_MAX + 1, bench.now),
                     STRICT_REFUSED);
    assert_int_equal(strict_device_send(&bench.device, long_message, STRICT_MESSAGE_MAX, bench.now), STRICT_BEGUN);
    assert_int_equal(bench.sent_count, 4);
    bench_expect_event(&bench, STRICT_SENT);
}

static void a_utack_without_the_right_mac_is_none(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino);
    send_text("up");
    bench_send_utack(&bench, STRICT_TYPE_DATA, 0, NULL);
    bench_send_utack(&bench, STRICT_TYPE_DATA, 0, bench.keys.receive);
    bench_send_utack(&bench, STRICT_TYPE_DATA, 1, bench.keys.send);
    bench_send_utack(&bench, STRICT_TYPE_PING, 0, bench.keys.send);
    bench_expect_no_event(&bench);
    bench_send_utack(&bench, STRICT_TYPE_DATA, 0, bench.keys.send);
    bench_expect_event(&bench, STRICT_SENT);
}

static void wire_1_takes_a_plain_utack(void **state)
{
    (void)state;
    connect_as("0.5", &strict_port_arduino);
    send_text("up");
    bench_send_utack(&bench, STRICT_TYPE_DATA, 0, NULL);
    bench_expect_event(&bench, STRICT_SENT);
}

/* When the copies of a frame that nobody answers leave. */
static void expect_repeats(const char *era, const unsigned milliseconds[5])
{
    connect_as(era, &strict_port_arduino);
    send_text("up");
    uint64_t passed = 0;
    for (unsigned i = 0; i < 5; i++) {
        bench_wait(&bench, MILLISECONDS(milliseconds[i]) - passed - 1);
        assert_int_equal(bench.sent_count, i + 1);
        bench_expect_no_event(&bench);
        bench_wait(&bench, 1);
        passed = MILLISECONDS(milliseconds[i]);
    }
    assert_int_equal(bench.sent_count, 5);
    bench_expect_over(&bench, STRICT_END_GAVE_UP);
}

static void repeats_by_era(void **state)
{
    (void)state;
    expect_repeats("0.5", (unsigned[]){100, 200, 300, 400, 500});
    expect_repeats("0.6.0", (unsigned[]){500, 1000, 1500, 2000, 2500});
    expect_repeats("1.1.0", (unsigned[]){500, 1000, 1500, 2000, 2500});
}

/* The handshake was answered at once, twice: the smoothed round trip is 200 - 25 = 175, then 175 - 21.875 = 153.125 ms;
 * the variation 100 + (200 - 100) / 4 = 125, then 125 + (175 - 125) / 4 = 137.5 ms; the interval 153.125 + 4 * 137.5. */
static void doubles(const char *era)
{
    connect_as(era, &strict_port_arduino);
    send_text("up");
    bench_wait(&bench, 703124);
    assert_int_equal(bench.sent_count, 1);
    bench_wait(&bench, 1);
    assert_int_equal(bench.sent_count, 2);
    bench_wait(&bench, 2 * 703125);
    assert_int_equal(bench.sent_count, 3);
    bench_wait(&bench, 4 * 703125);
    assert_int_equal(bench.sent_count, 4);
    bench_wait(&bench, 4999999); /* and 5 s at most */
    assert_int_equal(bench.sent_count, 4);
    bench_wait(&bench, 1);
    assert_int_equal(bench.sent_count, 5);
    bench_wait(&bench, 5000000);
    bench_expect_over(&bench, STRICT_END_GAVE_UP);
}

static void an_estimate_that_doubles(void **state)
{
    (void)state;
    doubles("1.2.2");
    doubles("1.3");
}

static void before_there_is_an_estimate(void **state)
{
    (void)state;
    static const char *const eras[] = {"1.2.2", "1.3"};
    for (size_t i = 0; i < sizeof eras / sizeof eras[0]; i++) {
        bench_open(&bench, eras[i], &strict_port_arduino, STRICT_UDP);
        bench_begin(&bench);
        bench_wait(&bench, MILLISECONDS(500) - 1);
        assert_int_equal(bench.sent_count, 1);
        bench_wait(&bench, 1);
        assert_int_equal(bench.sent_count, 2);
        bench_wait(&bench, MILLISECONDS(1000));
        assert_int_equal(bench.sent_count, 3);
    }
}

static void an_estimate_is_never_below_a_tenth_of_a_second(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino);
    for (uint32_t seq = 0; seq < 60; seq++) {
        send_text("up");
        acknowledge(STRICT_TYPE_DATA, seq);
    }
    bench_forget(&bench);
    send_text("up");
    bench_wait(&bench, MILLISECONDS(100) - 1);
    assert_int_equal(bench.sent_count, 1);
    bench_wait(&bench, 1);
    assert_int_equal(bench.sent_count, 2);
}

static void an_answer_to_a_repeat_teaches_nothing(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino);
    uint64_t before = bench.device.transmission.interval;
    send_text("up");
    bench_wait(&bench, before + 1);
    acknowledge(STRICT_TYPE_DATA, 0);
    bench_expect_event(&bench, STRICT_SENT);
    assert_true(bench.device.transmission.interval == before);
}

static void a_seq_that_is_used_again(void **state)
{
    (void)state;
    static const char *const reusing[] = {"0.5", "0.6.0", "1.0.0"};
    static const char *const others[] = {"1.1.0", "1.2.2", "1.3"};
    for (size_t i = 0; i < sizeof reusing / sizeof reusing[0]; i++) {
        connect_as(reusing[i], &strict_port_esp_idf);
        send_text("lost");
        bench_wait(&bench, MILLISECONDS(2500));
        bench_expect_event(&bench, STRICT_UNSENT);
        bench_forget(&bench);
        send_text("next");
        struct strict_frame frame = bench_take_frame(&bench, &kept, STRICT_TYPE_DATA);
        assert_int_equal(frame.seq, 0);
        expect_plain(&frame, "next", 4);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        connect_as(others[i], &strict_port_esp_idf);
        send_text("lost");
        bench_wait(&bench, MILLISECONDS(25000));
        bench_expect_over(&bench, STRICT_END_GAVE_UP);
    }
}

static void bye_by_era(void **state)
{
    (void)state;
    static const char *const silent[] = {"0.5", "0.6.0", "1.0.0"};
    static const char *const polite[] = {"1.1.0", "1.2.2", "1.3"};
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        connect_as(silent[i], &strict_port_arduino);
        assert_int_equal(strict_device_close(&bench.device, bench.now), STRICT_BEGUN);
        bench_expect_silence(&bench);
        bench_expect_event(&bench, STRICT_CLOSED);
    }
    for (size_t i = 0; i < sizeof polite / sizeof polite[0]; i++) {
        connect_as(polite[i], &strict_port_arduino);
        assert_int_equal(strict_device_close(&bench.device, bench.now), STRICT_BEGUN);
        bench_take_frame(&bench, &kept, STRICT_TYPE_BYE);
        bench_expect_no_event(&bench);
        acknowledge(STRICT_TYPE_BYE, 0);
        bench_expect_event(&bench, STRICT_CLOSED);
    }
    assert_int_equal(strict_device_send(&bench.device, long_message, 1, bench.now), STRICT_NO_SESSION);
}

static void a_bye_that_nobody_answers(void **state)
{
    (void)state;
    connect_as("1.1.0", &strict_port_arduino);
    assert_int_equal(strict_device_close(&bench.device, bench.now), STRICT_BEGUN);
    bench_wait(&bench, MILLISECONDS(2500));
    assert_int_equal(bench.sent_count, 5);
    bench_expect_event(&bench, STRICT_CLOSED);
    assert_true(bench.device.over);
}

static void rekey_by_era(void **state)
{
    (void)state;
    static const char *const without[] = {"0.5", "0.6.0", "1.0.0", "1.1.0"};
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        connect_as(without[i], &strict_port_arduino);
        assert_int_equal(strict_device_rekey(&bench.device, bench.now), STRICT_REFUSED);
    }
}

static void new_keys_when_the_utack_has_come(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino);
    send_text("old");
    acknowledge(STRICT_TYPE_DATA, 0);
    bench_forget(&bench);
    assert_int_equal(strict_device_rekey(&bench.device, bench.now), STRICT_BEGUN);
    struct strict_frame frame = bench_take_frame(&bench, &kept, STRICT_TYPE_REKEY);
    uint8_t salt[STRICT_KEY_SIZE];
    assert_true(strict_open(bench.start.cipher, bench.keys.send, bench.session_id, frame.seq, frame.header,
                            STRICT_AAD_SIZE, frame.payload, frame.size, salt));
    assert_int_equal(frame.seq, 1);
    assert_memory_equal(bench.device.keys.send, bench.keys.send, STRICT_KEY_SIZE);
    acknowledge(STRICT_TYPE_REKEY, 1);
    bench_expect_event(&bench, STRICT_SENT);
    strict_session_keys_renew(&bench.keys, salt, bench.session_id);
    send_text("new");
    frame = bench_take_frame(&bench, &kept, STRICT_TYPE_DATA);
    assert_int_equal(frame.seq, 0);
    expect_plain(&frame, "new", 3);
}

/* A frame under the old keys that lay in the slot meanwhile is acknowledged under the new ones, and gone. */
static void a_frame_that_crosses_rekey(void **state)
{
    (void)state;
    struct bench_sent crossing;
    connect_as("1.2.2", &strict_port_arduino);
    assert_int_equal(strict_device_rekey(&bench.device, bench.now), STRICT_BEGUN);
    bench_make_sealed(&bench, STRICT_TYPE_DATA, 0, "x", 1, &crossing);
    bench_give(&bench, &crossing);
    acknowledge(STRICT_TYPE_REKEY, 0);
    bench_forget(&bench);
    assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
    bench_expect_utack(&bench, STRICT_TYPE_DATA, 0, bench.device.keys.receive);
    assert_memory_not_equal(bench.device.keys.receive, bench.keys.receive, STRICT_KEY_SIZE);
    bench_wait(&bench, MILLISECONDS(450));
    bench_expect_event(&bench, STRICT_NOTHING);
}

static void the_last_seq(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino);
    bench.device.next_seq = UINT32_MAX - 1;
    send_text("last");
    acknowledge(STRICT_TYPE_DATA, UINT32_MAX - 1);
    bench_expect_event(&bench, STRICT_SENT);
    send_text("one more");
    bench_expect_over(&bench, STRICT_END_SEQ_SPENT);
}

static void both_suites(void **state)
{
    (void)state;
    bench_open(&bench, "1.2.2", &strict_port_arduino, STRICT_UDP);
    bench.start.cipher = STRICT_CHACHA20_POLY1305;
    bench_connect(&bench);
    send_text("up");
    struct strict_frame frame = bench_take_frame(&bench, &kept, STRICT_TYPE_DATA);
    expect_plain(&frame, "up", 2);
    acknowledge(STRICT_TYPE_DATA, 0);
    assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
    bench_send_sealed(&bench, STRICT_TYPE_DATA, "down", 4);
    bench_expect_event(&bench, STRICT_SENT);
    assert_int_equal(bench_expect_event(&bench, STRICT_MESSAGE).size, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_frame_at_a_time),
        cmocka_unit_test(the_longest_message_and_no_longer),
        cmocka_unit_test(a_utack_without_the_right_mac_is_none),
        cmocka_unit_test(wire_1_takes_a_plain_utack),
        cmocka_unit_test(repeats_by_era),
        cmocka_unit_test(an_estimate_that_doubles),
        cmocka_unit_test(before_there_is_an_estimate),
        cmocka_unit_test(an_estimate_is_never_below_a_tenth_of_a_second),
        cmocka_unit_test(an_answer_to_a_repeat_teaches_nothing),
        cmocka_unit_test(a_seq_that_is_used_again),
        cmocka_unit_test(bye_by_era),
        cmocka_unit_test(a_bye_that_nobody_answers),
        cmocka_unit_test(rekey_by_era),
        cmocka_unit_test(new_keys_when_the_utack_has_come),
        cmocka_unit_test(a_frame_that_crosses_rekey),
        cmocka_unit_test(the_last_seq),
        cmocka_unit_test(both_suites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
