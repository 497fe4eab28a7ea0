/* What a strict device takes of frames that come again, late, out of order or forged (docs/protocol.md sections 3 to 5). */
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

static void connect_as(const char *era, const struct strict_port *port)
{
    bench_open(&bench, era, port, STRICT_UDP);
    bench_connect(&bench);
}

static void begin_reading(void)
{
    assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
}

static void expect_text(const char *text)
{
    struct strict_event event = bench_expect_event(&bench, STRICT_MESSAGE);
    assert_int_equal(event.size, strlen(text));
    assert_memory_equal(bench.message, text, event.size);
}

static void give_numbered(uint32_t seq)
{
    char text[16];
    int size = snprintf(text, sizeof text, "%u", (unsigned)seq);
    bench_make_sealed(&bench, STRICT_TYPE_DATA, seq, text, (size_t)size, &kept);
    bench_forget(&bench);
    if (bench.device.operation == STRICT_IDLE)
        begin_reading();
    bench_give(&bench, &kept);
}

static void expect_numbered(uint32_t seq)
{
    char text[16];
    give_numbered(seq);
    snprintf(text, sizeof text, "%u", (unsigned)seq);
    expect_text(text);
}

static void expect_dropped(uint32_t seq)
{
    give_numbered(seq);
    bench_expect_utack(&bench, STRICT_TYPE_DATA, seq, bench.keys.receive);
    bench_expect_no_event(&bench);
}

static void a_window_of_64(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino);
    expect_numbered(0);
    expect_dropped(0);
    expect_numbered(200);
    expect_numbered(137);
    expect_dropped(136);
    expect_dropped(137);
    expect_dropped(200);
    expect_numbered(199);
    expect_numbered(263);
    expect_dropped(199);
    expect_numbered(262);
    expect_numbered(300); /* 263 is 37 below it now */
    expect_dropped(263);
    expect_numbered(364); /* and everything so far 64 or more */
    expect_numbered(301);
    expect_dropped(300);
    expect_numbered(1000000);
    expect_dropped(364);
    expect_numbered(999948);
}

static void only_forward_in_0_6(void **state)
{
    (void)state;
    connect_as("0.6.0", &strict_port_arduino);
    expect_numbered(5);
    expect_dropped(4);
    expect_dropped(5);
    expect_numbered(6);
}

static void the_last_seq_ends_it(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino);
    give_numbered(UINT32_MAX);
    bench_expect_over(&bench, STRICT_END_SEQ_SPENT);
}

static void wire_1_takes_the_next_and_nothing_else(void **state)
{
    (void)state;
    connect_as("0.5", &strict_port_esp_idf);
    expect_numbered(0);
    expect_numbered(1);
    give_numbered(0);
    bench_expect_utack(&bench, STRICT_TYPE_DATA, 0, NULL);
    bench_expect_no_event(&bench);
    give_numbered(3);
    bench_expect_over(&bench, STRICT_END_OUT_OF_ORDER);
}

static void wire_1_falls_over_what_is_forged(void **state)
{
    (void)state;
    connect_as("0.5", &strict_port_esp_idf);
    begin_reading();
    bench_make_sealed(&bench, STRICT_TYPE_DATA, 0, "x", 1, &kept);
    kept.bytes[10] ^= 1;
    bench_give(&bench, &kept);
    bench_expect_over(&bench, STRICT_END_BAD_FRAME);
}

static void wire_2_drops_what_is_forged(void **state)
{
    (void)state;
    connect_as("1.2.2", &strict_port_arduino);
    begin_reading();
    bench_make_sealed(&bench, STRICT_TYPE_DATA, 9, "x", 1, &kept);
    kept.bytes[10] ^= 1;
    bench_give(&bench, &kept);
    bench_make_sealed(&bench, STRICT_TYPE_DATA, 9, "x", 1, &kept);
    kept.bytes[3] = 0x0c;
    bench_give(&bench, &kept);
    bench_send(&bench, (const uint8_t *)"rubbish of no meaning", 21);
    bench_send(&bench, NULL, 0);
    bench_expect_no_event(&bench);
    bench_send_sealed(&bench, STRICT_TYPE_DATA, "on", 2);
    expect_text("on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_of_64),
        cmocka_unit_test(only_forward_in_0_6),
        cmocka_unit_test(the_last_seq_ends_it),
        cmocka_unit_test(wire_1_takes_the_next_and_nothing_else),
        cmocka_unit_test(wire_1_falls_over_what_is_forged),
        cmocka_unit_test(wire_2_drops_what_is_forged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
