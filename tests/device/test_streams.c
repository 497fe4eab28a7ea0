/* The habits of a strict device over TCP (docs/protocol.md sections 2 and 3). */
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

static void connect_as(const char *era)
{
    bench_open(&bench, era, &strict_port_arduino, STRICT_TCP);
    bench_connect(&bench);
}

static void begin_reading(void)
{
    assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
}

static void frames_in_pieces(void **state)
{
    (void)state;
    connect_as("1.2.2");
    begin_reading();
    bench_make_sealed(&bench, STRICT_TYPE_DATA, 0, "in pieces", 9, &kept);
    for (size_t i = 0; i < kept.size; i++) {
        bench_expect_no_event(&bench);
        bench_send(&bench, kept.bytes + i, 1);
    }
    assert_int_equal(bench_expect_event(&bench, STRICT_MESSAGE).size, 9);
}

static void data_right_behind_session_ok(void **state)
{
    (void)state;
    struct bench_sent hello;
    bench_open(&bench, "1.2.2", &strict_port_arduino, STRICT_TCP);
    bench_begin(&bench);
    struct strict_frame frame = bench_take_frame(&bench, &hello, STRICT_TYPE_HELLO);
    bench_make_challenge(&bench, &frame, &kept);
    bench_give(&bench, &kept);
    bench.keys = bench.device.keys;
    struct bench_sent data;
    bench_make_session_ok(&bench, &kept);
    bench_make_sealed(&bench, STRICT_TYPE_DATA, 0, "at once", 7, &data);
    uint8_t both[2 * STRICT_FRAME_MAX];
    memcpy(both, kept.bytes, kept.size);
    memcpy(both + kept.size, data.bytes, data.size);
    bench_send(&bench, both, kept.size + data.size);
    bench_expect_event(&bench, STRICT_CONNECTED);
    begin_reading();
    assert_int_equal(bench_expect_event(&bench, STRICT_MESSAGE).size, 7);
}

static void stalls_after(const char *era, unsigned milliseconds)
{
    connect_as(era);
    begin_reading();
    bench_make_sealed(&bench, STRICT_TYPE_DATA, 0, "half", 4, &kept);
    bench_send(&bench, kept.bytes, 20);
    bench_wait(&bench, MILLISECONDS(milliseconds) - 1);
    bench_expect_no_event(&bench);
    bench_wait(&bench, 1);
    bench_expect_over(&bench, STRICT_END_STALLED);
}

static void a_frame_that_stands_still(void **state)
{
    (void)state;
    static const char *const early[] = {"0.4.7", "0.5", "0.6.0", "1.0.0"};
    static const char *const late[] = {"1.1.0", "1.2.2", "1.3"};
    for (size_t i = 0; i < sizeof early / sizeof early[0]; i++)
        stalls_after(early[i], 500);
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++)
        stalls_after(late[i], 2000);
}

static void a_challenge_that_stands_still(void **state)
{
    (void)state;
    bench_open(&bench, "1.2.2", &strict_port_arduino, STRICT_TCP);
    bench_begin(&bench);
    struct strict_frame hello = bench_take_frame(&bench, &kept, STRICT_TYPE_HELLO);
    bench_wait(&bench, MILLISECONDS(3600000));
    bench_expect_no_event(&bench);
    bench_make_challenge(&bench, &hello, &kept);
    bench_send(&bench, kept.bytes, 30);
    bench_wait(&bench, MILLISECONDS(2000));
    bench_expect_over(&bench, STRICT_END_STALLED);
}

static void nothing_to_read_is_no_stall(void **state)
{
    (void)state;
    connect_as("1.2.2");
    begin_reading();
    bench_wait(&bench, MILLISECONDS(2000));
    bench_expect_event(&bench, STRICT_NOTHING);
    assert_false(bench.device.over);
}

static void anything_wrong_is_the_end(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        enum strict_end end;
    } wrong[] = {
        {0, STRICT_END_BAD_FRAME},        /* magic */
        {2, STRICT_END_BAD_FRAME},        /* version */
        {10, STRICT_END_BAD_FRAME},       /* CRC */
        {9, STRICT_END_UNEXPECTED_FRAME}, /* length: 65 KiB */
        {30, STRICT_END_BAD_FRAME},       /* ciphertext; the CRC notices */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        connect_as("1.2.2");
        begin_reading();
        bench_make_sealed(&bench, STRICT_TYPE_DATA, 0, "something", 9, &kept);
        kept.bytes[wrong[i].at] ^= 0xff;
        bench_give(&bench, &kept);
        bench_expect_over(&bench, wrong[i].end);
    }
}

static void a_wrong_tag(void **state)
{
    (void)state;
    connect_as("1.2.2");
    begin_reading();
    memset(bench.keys.receive, 1, sizeof bench.keys.receive);
    bench_send_sealed(&bench, STRICT_TYPE_DATA, "x", 1);
    bench_expect_over(&bench, STRICT_END_BAD_FRAME);
}

static void a_wrong_order(void **state)
{
    (void)state;
    connect_as("1.2.2");
    begin_reading();
    bench.seq = 1;
    bench_send_sealed(&bench, STRICT_TYPE_DATA, "x", 1);
    bench_expect_over(&bench, STRICT_END_OUT_OF_ORDER);
}

static void a_control_frame_inside_a_message(void **state)
{
    (void)state;
    connect_as("1.2.2");
    begin_reading();
    bench_send_sealed(&bench, STRICT_TYPE_DATA_FRAG, "x", 1);
    bench_send_sealed(&bench, STRICT_TYPE_PING, NULL, 0);
    bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
}

static void a_connection_that_is_closed(void **state)
{
    (void)state;
    connect_as("1.2.2");
    strict_device_stream_closed(&bench.device, bench.now);
    bench_expect_no_event(&bench);
    assert_true(strict_device_has_input(&bench.device, bench.now));
    begin_reading();
    bench_expect_over(&bench, STRICT_END_STREAM_CLOSED);

    connect_as("1.2.2");
    strict_device_stream_closed(&bench.device, bench.now);
    assert_int_equal(strict_device_ping(&bench.device, bench.now), STRICT_BEGUN);
    bench_expect_over(&bench, STRICT_END_STREAM_CLOSED);

    bench_open(&bench, "1.2.2", &strict_port_arduino, STRICT_TCP);
    bench_begin(&bench);
    strict_device_stream_closed(&bench.device, bench.now);
    bench_expect_over(&bench, STRICT_END_STREAM_CLOSED);
}

static void what_has_come_before_the_end_is_read(void **state)
{
    (void)state;
    connect_as("1.2.2");
    bench_send_sealed(&bench, STRICT_TYPE_DATA, "last", 4);
    strict_device_stream_closed(&bench.device, bench.now);
    begin_reading();
    assert_int_equal(bench_expect_event(&bench, STRICT_MESSAGE).size, 4);
    begin_reading();
    bench_expect_over(&bench, STRICT_END_STREAM_CLOSED);
}

static void a_device_that_does_not_read_takes_no_more_than_its_window(void **state)
{
    (void)state;
    static uint8_t bytes[STRICT_STREAM_MAX + 1];
    connect_as("1.2.2");
    assert_int_equal(strict_device_stream(&bench.device, bytes, sizeof bytes, bench.now), STRICT_STREAM_MAX);
    assert_int_equal(strict_device_stream(&bench.device, bytes, 1, bench.now), 0);
}

static void new_keys_when_rekey_is_written(void **state)
{
    (void)state;
    connect_as("1.2.2");
    assert_int_equal(strict_device_rekey(&bench.device, bench.now), STRICT_BEGUN);
    bench_expect_event(&bench, STRICT_SENT);
    assert_memory_not_equal(bench.device.keys.send, bench.keys.send, STRICT_KEY_SIZE);
    /* A frame under the old keys that crosses it ends the session. */
    begin_reading();
    bench_send_sealed(&bench, STRICT_TYPE_DATA, "x", 1);
    bench_expect_over(&bench, STRICT_END_BAD_FRAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_in_pieces),
        cmocka_unit_test(data_right_behind_session_ok),
        cmocka_unit_test(a_frame_that_stands_still),
        cmocka_unit_test(a_challenge_that_stands_still),
        cmocka_unit_test(nothing_to_read_is_no_stall),
        cmocka_unit_test(anything_wrong_is_the_end),
        cmocka_unit_test(a_wrong_tag),
        cmocka_unit_test(a_wrong_order),
        cmocka_unit_test(a_control_frame_inside_a_message),
        cmocka_unit_test(a_connection_that_is_closed),
        cmocka_unit_test(what_has_come_before_the_end_is_read),
        cmocka_unit_test(a_device_that_does_not_read_takes_no_more_than_its_window),
        cmocka_unit_test(new_keys_when_rekey_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
