/* The habits of a strict device while it receives (docs/protocol.md sections 3 to 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device/bench.h"

static struct bench bench;
static struct bench_sent kept;
static uint8_t bytes[STRICT_MESSAGE_MAX];
static const char *const since_1_1[] = {"1.1.0", "1.2.2", "1.3"};
static const size_t since_1_1_count = sizeof since_1_1 / sizeof since_1_1[0];

static void connect_as(const char *era, const struct strict_port *port, size_t queue)
{
    bench_open(&bench, era, port, STRICT_UDP);
    bench.start.socket_queue = queue;
    bench_connect(&bench);
}

static void begin_reading(void)
{
    assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
}

static void send_text(const char *text)
{
    bench_send_sealed(&bench, STRICT_TYPE_DATA, text, strlen(text));
}

static void send_fragment(size_t size)
{
    bench_send_sealed(&bench, STRICT_TYPE_DATA_FRAG, bytes, size);
}

static void expect_text(const char *text)
{
    struct strict_event event = bench_expect_event(&bench, STRICT_MESSAGE);
    assert_int_equal(event.size, strlen(text));
    assert_memory_equal(bench.message, text, event.size);
}

static void one_slot(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, 0);
    send_text("kept");
    send_text("lost");
    assert_int_equal(bench_expect_event(&bench, STRICT_LOST).seq, 1);
    begin_reading();
    expect_text("kept");
    begin_reading();
    bench_wait(&bench, MILLISECONDS(500));
    bench_expect_event(&bench, STRICT_NOTHING);
}

static void the_slot_while_it_sends(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, STRICT_SOCKET_QUEUE_MAX);
    assert_int_equal(strict_device_ping(&bench.device, bench.now), STRICT_BEGUN);
    bench_take_frame(&bench, &kept, STRICT_TYPE_PING);
    send_text("kept");
    send_text("lost");
    assert_int_equal(bench_expect_event(&bench, STRICT_LOST).seq, 1);
    bench_send_utack(&bench, STRICT_TYPE_PING, 0, bench.keys.send);
    bench_expect_event(&bench, STRICT_SENT);
    bench_expect_silence(&bench);
    begin_reading();
    expect_text("kept");
}

static void what_waits_in_the_socket_goes_through_the_slot(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, 3);
    send_text("first");
    send_text("second");
    assert_int_equal(strict_device_ping(&bench.device, bench.now), STRICT_BEGUN);
    assert_int_equal(bench_expect_event(&bench, STRICT_LOST).seq, 1);
    bench_send_utack(&bench, STRICT_TYPE_PING, 0, bench.keys.send);
    begin_reading();
    bench_expect_event(&bench, STRICT_SENT);
    expect_text("first");
}

static void a_full_socket(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, 2);
    send_text("1");
    send_text("2");
    send_text("3");
    assert_int_equal(bench_expect_event(&bench, STRICT_LOST).seq, 2);
    begin_reading();
    expect_text("1");
    begin_reading();
    expect_text("2");
}

/* Not before, and however late that is. */
static void acknowledged_when_the_application_reads(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, 1);
    send_text("down");
    bench_wait(&bench, MILLISECONDS(7000));
    bench_expect_silence(&bench);
    begin_reading();
    bench_expect_utack(&bench, STRICT_TYPE_DATA, 0, bench.keys.receive);
    expect_text("down");
}

static void acknowledged_before_it_is_looked_at(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, 0);
    begin_reading();
    bench_make_sealed(&bench, STRICT_TYPE_DATA, 4, "x", 1, &kept);
    kept.bytes[kept.size - 1] ^= 1;
    bench_give(&bench, &kept);
    bench_expect_utack(&bench, STRICT_TYPE_DATA, 4, bench.keys.receive);
    bench_expect_no_event(&bench);
    /* Nor is a UTACK in the wrong place acknowledged. */
    bench_send_utack(&bench, STRICT_TYPE_DATA, 0, bench.keys.send);
    bench_expect_silence(&bench);
}

static void ten_reads_of_fifty_milliseconds(void **state)
{
    (void)state;
    for (size_t i = 0; i < since_1_1_count; i++) {
        connect_as(since_1_1[i], &strict_port_arduino, 0);
        begin_reading();
        bench_wait(&bench, MILLISECONDS(500) - 1);
        bench_expect_no_event(&bench);
        bench_wait(&bench, 1);
        bench_expect_event(&bench, STRICT_NOTHING);
    }
}

/* Four fragments leave six empty reads, and the tenth read waits as well. */
static void fourth_fragment_after(const char *era, unsigned milliseconds)
{
    connect_as(era, &strict_port_arduino, 0);
    begin_reading();
    for (unsigned i = 0; i < 3; i++) {
        send_fragment(1);
        bench_wait(&bench, MILLISECONDS(100));
    }
    bench_forget(&bench);
    bench_wait(&bench, MILLISECONDS(milliseconds - 300));
    if (!bench.device.over)
        send_text(".");
}

static void four_fragments_have_300_milliseconds(void **state)
{
    (void)state;
    for (size_t i = 0; i < since_1_1_count; i++) {
        fourth_fragment_after(since_1_1[i], 349);
        assert_int_equal(bench_expect_event(&bench, STRICT_MESSAGE).size, 4);
        fourth_fragment_after(since_1_1[i], 350);
        bench_expect_over(&bench, STRICT_END_READS_SPENT);
    }
}

static void copies_count_as_reads(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, 0);
    begin_reading();
    send_fragment(1);
    bench_make_sealed(&bench, STRICT_TYPE_DATA_FRAG, 0, bytes, 1, &kept);
    for (unsigned i = 0; i < 8; i++)
        bench_give(&bench, &kept);
    bench_expect_no_event(&bench);
    bench_give(&bench, &kept);
    bench_expect_over(&bench, STRICT_END_READS_SPENT);
}

/* 1.0.0: ten frames, however long they take; and the rest of the message is a message of its own then. */
static void a_tail_that_is_taken_for_a_message(void **state)
{
    (void)state;
    connect_as("1.0.0", &strict_port_arduino, 0);
    begin_reading();
    send_fragment(4);
    bench_wait(&bench, MILLISECONDS(60000));
    bench_make_sealed(&bench, STRICT_TYPE_DATA_FRAG, 0, bytes, 4, &kept);
    for (unsigned i = 0; i < 9; i++)
        bench_give(&bench, &kept);
    bench_expect_event(&bench, STRICT_NOTHING);
    begin_reading();
    send_text("tail");
    expect_text("tail");
}

static void before_1_0_0_nothing_ends_a_read(void **state)
{
    (void)state;
    connect_as("0.6.0", &strict_port_esp_idf, 0);
    begin_reading();
    bench_wait(&bench, MILLISECONDS(3600000));
    bench_expect_no_event(&bench);
    assert_int_equal(strict_device_ping(&bench.device, bench.now), STRICT_BUSY);
    send_text("at last");
    expect_text("at last");
}

/* All there when the application reads: over TCP, where there is room for so many. */
static void control_frames(const char *era, unsigned allowed)
{
    for (unsigned more = 0; more < 2; more++) {
        bench_open(&bench, era, &strict_port_arduino, STRICT_TCP);
        bench_connect(&bench);
        for (unsigned i = 0; i < allowed + more; i++)
            bench_send_sealed(&bench, STRICT_TYPE_PONG, NULL, 0);
        begin_reading();
        if (more == 0)
            bench_expect_event(&bench, STRICT_NOTHING);
        else
            bench_expect_over(&bench, STRICT_END_CONTROL_FRAMES);
    }
}

static void control_frames_in_a_row(void **state)
{
    (void)state;
    static const char *const early[] = {"0.4.7", "0.5", "0.6.0", "1.0.0"};
    static const char *const late[] = {"1.1.0", "1.2.2", "1.3"};
    for (size_t i = 0; i < sizeof early / sizeof early[0]; i++)
        control_frames(early[i], 7);
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++)
        control_frames(late[i], 8);
}

static void ping_is_answered_when_it_is_read(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, 1);
    bench_send_sealed(&bench, STRICT_TYPE_PING, NULL, 0);
    bench_wait(&bench, MILLISECONDS(3000));
    bench_expect_silence(&bench);
    begin_reading();
    bench_expect_utack(&bench, STRICT_TYPE_PING, 0, bench.keys.receive);
    bench_take_frame(&bench, &kept, STRICT_TYPE_PONG);
    bench_expect_no_event(&bench);
    bench_send_utack(&bench, STRICT_TYPE_PONG, 0, bench.keys.send);
    bench_expect_event(&bench, STRICT_NOTHING);
}

static void too_long(const char *era, const struct strict_port *port, enum strict_transport transport, size_t size)
{
    bench_open(&bench, era, port, transport);
    bench_connect(&bench);
    begin_reading();
    bench_send_sealed(&bench, STRICT_TYPE_DATA, bytes, size);
}

static void the_application_s_buffer(void **state)
{
    (void)state;
    too_long("1.2.2", &strict_port_esp_idf, STRICT_TCP, 255);
    assert_int_equal(bench_expect_event(&bench, STRICT_MESSAGE).size, 255);
    too_long("1.2.2", &strict_port_esp_idf, STRICT_TCP, 256);
    bench_expect_over(&bench, STRICT_END_TOO_LONG);
    for (size_t i = 0; i < since_1_1_count; i++) {
        too_long(since_1_1[i], &strict_port_esp_idf, STRICT_UDP, 256);
        bench_expect_utack(&bench, STRICT_TYPE_DATA, 0, bench.keys.receive);
        bench_expect_no_event(&bench);
        send_text("on");
        expect_text("on");
    }
    too_long("1.0.0", &strict_port_esp_idf, STRICT_UDP, 256);
    bench_expect_event(&bench, STRICT_NOTHING);
    too_long("1.2.2", &strict_port_arduino, STRICT_TCP, 452);
    assert_int_equal(bench_expect_event(&bench, STRICT_MESSAGE).size, 452);
}

static void the_longest_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 3);
    bench_open(&bench, "0.4.7", &strict_port_arduino, STRICT_TCP);
    bench_connect(&bench);
    begin_reading();
    for (size_t i = 0; i < 4; i++)
        bench_send_sealed(&bench, i < 3 ? STRICT_TYPE_DATA_FRAG : STRICT_TYPE_DATA, bytes + i * 452, 452);
    assert_int_equal(bench_expect_event(&bench, STRICT_MESSAGE).size, 1808);
    assert_memory_equal(bench.message, bytes, 1808);
}

static void a_fifth_fragment(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, 0);
    begin_reading();
    for (size_t i = 0; i < 4; i++)
        send_fragment(1);
    bench_expect_over(&bench, STRICT_END_TOO_LONG);
}

static void fragments_out_of_order(const struct strict_port *port)
{
    connect_as("1.2.2", port, 0);
    begin_reading();
    send_fragment(1);
    bench.seq++;
    send_text("x");
}

static void fragments_that_are_not_consecutive(void **state)
{
    (void)state;
    fragments_out_of_order(&strict_port_arduino);
    bench_expect_over(&bench, STRICT_END_OUT_OF_ORDER);
    fragments_out_of_order(&strict_port_esp_idf);
    bench_expect_event(&bench, STRICT_NOTHING);
    begin_reading();
    send_text("on");
    expect_text("on");
}

/* Dropped behind its UTACK, up to 1.0.0 the end of the call; BYE as well. */
static void a_control_frame_inside_a_message(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino, 0);
    begin_reading();
    send_fragment(1);
    bench_make_sealed(&bench, STRICT_TYPE_BYE, 9, NULL, 0, &kept);
    bench_give(&bench, &kept);
    send_text("x");
    assert_int_equal(bench_expect_event(&bench, STRICT_MESSAGE).size, 2);

    connect_as("1.0.0", &strict_port_arduino, 0);
    begin_reading();
    send_fragment(1);
    bench_give(&bench, &kept);
    bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
}

/* Up to 1.0.0 an Arduino finds a message of the gateway only when it sends something. */
static void an_arduino_that_does_not_look_into_its_socket(void **state)
{
    (void)state;
    connect_as("1.0.0", &strict_port_arduino, 2);
    send_text("down");
    assert_false(strict_device_has_input(&bench.device, bench.now));
    assert_int_equal(strict_device_ping(&bench.device, bench.now), STRICT_BEGUN);
    assert_true(strict_device_has_input(&bench.device, bench.now));

    for (size_t i = 0; i < since_1_1_count; i++) {
        connect_as(since_1_1[i], &strict_port_arduino, 2);
        assert_false(strict_device_has_input(&bench.device, bench.now));
        send_text("down");
        assert_true(strict_device_has_input(&bench.device, bench.now));
    }

    connect_as("1.0.0", &strict_port_esp_idf, 2);
    send_text("down");
    assert_true(strict_device_has_input(&bench.device, bench.now));
}

static void rekey_of_the_gateway(void **state)
{
    (void)state;
    uint8_t salt[STRICT_KEY_SIZE] = {5};
    connect_as("1.3", &strict_port_arduino, 0);
    begin_reading();
    bench_send_sealed(&bench, STRICT_TYPE_REKEY, salt, sizeof salt);
    bench_expect_event(&bench, STRICT_NOTHING);
    struct strict_session_keys gateway;
    memcpy(gateway.send, bench.keys.receive, STRICT_KEY_SIZE);
    memcpy(gateway.receive, bench.keys.send, STRICT_KEY_SIZE);
    strict_session_keys_renew(&gateway, salt, bench.session_id);
    assert_memory_equal(bench.device.keys.receive, gateway.send, STRICT_KEY_SIZE);
    assert_memory_equal(bench.device.keys.send, gateway.receive, STRICT_KEY_SIZE);

    bench_open(&bench, "1.1.0", &strict_port_arduino, STRICT_TCP);
    bench_connect(&bench);
    begin_reading();
    bench_send_sealed(&bench, STRICT_TYPE_REKEY, salt, sizeof salt);
    bench_expect_over(&bench, STRICT_END_UNEXPECTED_FRAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_slot),
        cmocka_unit_test(the_slot_while_it_sends),
        cmocka_unit_test(what_waits_in_the_socket_goes_through_the_slot),
        cmocka_unit_test(a_full_socket),
        cmocka_unit_test(acknowledged_when_the_application_reads),
        cmocka_unit_test(acknowledged_before_it_is_looked_at),
        cmocka_unit_test(ten_reads_of_fifty_milliseconds),
        cmocka_unit_test(four_fragments_have_300_milliseconds),
        cmocka_unit_test(copies_count_as_reads),
        cmocka_unit_test(a_tail_that_is_taken_for_a_message),
        cmocka_unit_test(before_1_0_0_nothing_ends_a_read),
        cmocka_unit_test(control_frames_in_a_row),
        cmocka_unit_test(ping_is_answered_when_it_is_read),
        cmocka_unit_test(the_application_s_buffer),
        cmocka_unit_test(the_longest_message),
        cmocka_unit_test(a_fifth_fragment),
        cmocka_unit_test(fragments_that_are_not_consecutive),
        cmocka_unit_test(a_control_frame_inside_a_message),
        cmocka_unit_test(an_arduino_that_does_not_look_into_its_socket),
        cmocka_unit_test(rekey_of_the_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
