#include "proto/session_bench.h"

#include <string.h>

/* docs/protocol.md section 3, "ChaCha20-Poly1305": the suite is found by trial and kept. */

static void begin(struct bench *bench, enum usmp_cipher cipher, enum usmp_suite suite, enum usmp_transport transport)
{
    bench_prepare(bench, USMP_GATEWAY, USMP_WIRE_2, transport);
    bench->start.cipher = cipher;
    bench->suite = suite;
    bench_begin_prepared(bench);
}

static void send_down(struct bench *bench, uint32_t seq)
{
    assert_true(usmp_session_can_send(&bench->session));
    enum usmp_send_verdict verdict = usmp_session_send(&bench->session, (const uint8_t *)"down", 4, bench->now);
    assert_true(verdict == USMP_SEND_STARTED || verdict == USMP_SEND_WRITTEN);
    bench_assert_frame(bench, USMP_DATA, seq, "down");
}

static void the_suite_that_opens_is_kept(void **state)
{
    (void)state;
    const enum usmp_suite suites[] = {USMP_AES_256_GCM, USMP_CHACHA20_POLY1305};
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (size_t index = 0; index < 4; index++) {
        struct bench bench;
        begin(&bench, USMP_CIPHER_AUTO, suites[index / 2], transports[index % 2]);
        bench_deliver(&bench, 0, "up");
        send_down(&bench, 0);
        bench.suite = suites[1 - index / 2];
        enum usmp_session_verdict verdict = bench_receive(&bench, USMP_DATA, 1, "up");
        if (transports[index % 2] == USMP_UDP)
            assert_int_equal(verdict, USMP_SESSION_NOT_AUTHENTIC);
        else
            assert_int_equal(verdict, USMP_SESSION_OVER);
        bench_end(&bench);
    }
}

static void what_opens_with_neither_decides_nothing(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_CIPHER_AUTO, USMP_CHACHA20_POLY1305, USMP_UDP);
    const struct usmp_keys right = bench.keys;
    bench.keys.device_to_gateway[0] ^= 1;
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "forged"), USMP_SESSION_NOT_AUTHENTIC);
    bench.keys = right;
    assert_int_equal(bench.session.cipher, USMP_CIPHER_AUTO);
    bench_deliver(&bench, 0, "up");
    assert_int_equal(bench.session.cipher, USMP_CIPHER_CHACHA20_POLY1305);
    bench_end(&bench);
}

static void before_a_frame_has_opened_we_speak_aes(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_CIPHER_AUTO, USMP_AES_256_GCM, USMP_TCP);
    send_down(&bench, 0);
    assert_int_equal(bench.session.cipher, USMP_CIPHER_AUTO);
    bench_end(&bench);
}

static void a_configured_suite_is_the_only_one(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_CIPHER_CHACHA20_POLY1305, USMP_AES_256_GCM, USMP_UDP);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "up"), USMP_SESSION_NOT_AUTHENTIC);
    bench.suite = USMP_CHACHA20_POLY1305;
    bench_deliver(&bench, 0, "up");
    send_down(&bench, 0);
    bench_end(&bench);

    begin(&bench, USMP_CIPHER_AES_256_GCM, USMP_CHACHA20_POLY1305, USMP_UDP);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "up"), USMP_SESSION_NOT_AUTHENTIC);
    bench_end(&bench);
}

/* "wire 2 only" */
static void wire_1_is_aes(void **state)
{
    (void)state;
    struct bench bench;
    bench_prepare(&bench, USMP_GATEWAY, USMP_WIRE_1, USMP_UDP);
    bench.suite = USMP_CHACHA20_POLY1305;
    bench_begin_prepared(&bench);
    assert_int_equal(bench.session.cipher, USMP_CIPHER_AES_256_GCM);
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "up"), USMP_SESSION_NOT_AUTHENTIC);
    bench_end(&bench);
}

/* "AUTO is AES-256-GCM for a device": it is the gateway that has to find out. */
static void a_device_does_not_guess(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    assert_int_equal(bench.session.cipher, USMP_CIPHER_AES_256_GCM);
    send_down(&bench, 0);
    bench_end(&bench);

    bench_prepare(&bench, USMP_DEVICE, USMP_WIRE_2, USMP_UDP);
    bench.start.cipher = USMP_CIPHER_CHACHA20_POLY1305;
    bench.suite = USMP_CHACHA20_POLY1305;
    bench_begin_prepared(&bench);
    send_down(&bench, 0);
    bench_deliver(&bench, 0, "answer");
    bench_end(&bench);
}

/* A block comes with whatever was in it; only what was sent is remembered. */
static void what_was_sent_on_wire_1_is_remembered(void **state)
{
    (void)state;
    struct bench bench;
    bench_begin(&bench, USMP_GATEWAY, USMP_WIRE_1, USMP_TCP);
    assert_null(bench.session.sent_tags);
    send_down(&bench, 0);
    send_down(&bench, 1);
    assert_int_equal(bench.session.sent_tags->used, 3);
    bench_end(&bench);
}

/* A wrong nonce is not the other suite's business. */
static void a_frame_of_another_session_does_not_open(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, USMP_CIPHER_AUTO, USMP_AES_256_GCM, USMP_UDP);
    bench.start.session_id[7] ^= 1;
    assert_int_equal(bench_receive(&bench, USMP_DATA, 0, "up"), USMP_SESSION_NOT_AUTHENTIC);
    bench.start.session_id[7] ^= 1;
    bench_deliver(&bench, 0, "up");
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suite_that_opens_is_kept),
        cmocka_unit_test(what_opens_with_neither_decides_nothing),
        cmocka_unit_test(before_a_frame_has_opened_we_speak_aes),
        cmocka_unit_test(a_configured_suite_is_the_only_one),
        cmocka_unit_test(wire_1_is_aes),
        cmocka_unit_test(a_device_does_not_guess),
        cmocka_unit_test(what_was_sent_on_wire_1_is_remembered),
        cmocka_unit_test(a_frame_of_another_session_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
