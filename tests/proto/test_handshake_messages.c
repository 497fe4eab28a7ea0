#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/handshake_messages.h>

#include "platform/child.h"
#include "support/hex.h"

#include "proto/recorded.h"

static struct usmp_frame frame_of(const char *hex, uint8_t bytes[USMP_FRAME_MAX])
{
    struct usmp_frame frame;
    size_t size = hex_read(hex, bytes, USMP_FRAME_MAX);
    assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
    return frame;
}

/* Read, checked and written again, each field shows in its place. */

static void test_hello(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        uint8_t bytes[USMP_FRAME_MAX];
        uint8_t made[USMP_HELLO_COOKIE_FRAME];
        struct usmp_hello hello;
        struct usmp_frame frame = frame_of(recorded_hello[version], bytes);
        assert_true(usmp_hello_read(&frame, &hello));
        assert_hex_equal(hello.device_id, sizeof hello.device_id, RECORDED_DEVICE_ID);
        assert_memory_equal(hello.public_key, bytes + 18, 32);
        assert_false(hello.has_cookie);
        assert_int_equal(usmp_hello_write(version, 0, &hello, made), 50);
        assert_memory_equal(made, bytes, 50);
    }
}

/* The second HELLO of tests/data/vectors/wire2-udp.json, and the HELLO_RETRY before it. */
static const char hello_with_cookie[] =
    "cdab020101000000360033909adce558e9d97ee70ee82cb6453929b9d94b82911f194bb72afaae3b"
    "4667ff9694d0e0f9781923592a988fd288c82098986759ed8877";
static const char hello_retry_hex[] = "cdab020a000000001000ff5223592a988fd288c82098986759ed8877";

static void test_hello_with_a_cookie(void **state)
{
    (void)state;
    uint8_t bytes[USMP_FRAME_MAX];
    uint8_t made[USMP_HELLO_COOKIE_FRAME];
    struct usmp_hello hello;
    struct usmp_frame frame = frame_of(hello_with_cookie, bytes);
    assert_true(usmp_hello_read(&frame, &hello));
    assert_true(hello.has_cookie);
    assert_hex_equal(hello.device_id, sizeof hello.device_id, "9adce558e9d9");
    assert_hex_equal(hello.cookie, sizeof hello.cookie, "23592a988fd288c82098986759ed8877");
    assert_int_equal(usmp_hello_write(2, 1, &hello, made), 66);
    assert_memory_equal(made, bytes, 66);
}

static int write_cookie_on_wire_1(void *context)
{
    (void)context;
    uint8_t made[USMP_HELLO_COOKIE_FRAME];
    usmp_hello_write(1, 0, &(struct usmp_hello){.has_cookie = true}, made);
    return 0;
}

static void test_wire_1_has_no_cookie(void **state)
{
    (void)state;
    assert_int_equal(child_run(write_cookie_on_wire_1, NULL), 128 + SIGABRT);
}

static void test_hello_retry(void **state)
{
    (void)state;
    uint8_t bytes[USMP_FRAME_MAX];
    uint8_t made[USMP_HELLO_RETRY_FRAME];
    struct usmp_hello_retry hello_retry;
    struct usmp_frame frame = frame_of(hello_retry_hex, bytes);
    assert_true(usmp_hello_retry_read(&frame, &hello_retry));
    assert_hex_equal(hello_retry.cookie, sizeof hello_retry.cookie, "23592a988fd288c82098986759ed8877");
    assert_int_equal(usmp_hello_retry_write(0, &hello_retry, made), 28);
    assert_memory_equal(made, bytes, 28);
}

static void test_challenge(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        uint8_t bytes[USMP_FRAME_MAX];
        uint8_t made[USMP_CHALLENGE_FRAME];
        struct usmp_challenge challenge;
        struct usmp_frame frame = frame_of(recorded_challenge[version], bytes);
        assert_true(usmp_challenge_read(&frame, &challenge));
        assert_hex_equal(challenge.nonce, sizeof challenge.nonce, RECORDED_NONCE);
        assert_memory_equal(challenge.public_key, bytes + 44, 32);
        assert_int_equal(usmp_challenge_write(version, 0, &challenge, made), 76);
        assert_memory_equal(made, bytes, 76);
    }
}

static void test_hello_ack(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        uint8_t bytes[USMP_FRAME_MAX];
        uint8_t made[USMP_HELLO_ACK_FRAME];
        struct usmp_hello_ack hello_ack;
        struct usmp_frame frame = frame_of(recorded_hello_ack[version], bytes);
        assert_true(usmp_hello_ack_read(&frame, &hello_ack));
        assert_memory_equal(hello_ack.hmac, bytes + 12, 32);
        assert_int_equal(frame.seq, version == 1 ? 0 : 2);
        assert_int_equal(usmp_hello_ack_write(version, frame.seq, &hello_ack, made), 44);
        assert_memory_equal(made, bytes, 44);
    }
}

static void test_session_ok(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        uint8_t bytes[USMP_FRAME_MAX];
        uint8_t made[USMP_SESSION_OK_FRAME];
        struct usmp_session_ok session_ok;
        struct usmp_frame frame = frame_of(recorded_session_ok[version], bytes);
        assert_true(usmp_session_ok_read(&frame, &session_ok));
        assert_hex_equal(session_ok.session_id, sizeof session_ok.session_id, RECORDED_SESSION_ID);
        assert_memory_equal(session_ok.hmac, bytes + 28, 32);
        assert_int_equal(usmp_session_ok_write(version, 0, &session_ok, made), 60);
        assert_memory_equal(made, bytes, 60);
    }
}

static void test_another_type_is_not_read(void **state)
{
    (void)state;
    const char *const frames[] = {recorded_hello[2], recorded_challenge[2], recorded_hello_ack[2],
                                  recorded_session_ok[2], hello_retry_hex};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        uint8_t bytes[USMP_FRAME_MAX];
        struct usmp_frame frame = frame_of(frames[i], bytes);
        union {
            struct usmp_hello hello;
            struct usmp_challenge challenge;
            struct usmp_hello_ack hello_ack;
            struct usmp_session_ok session_ok;
            struct usmp_hello_retry hello_retry;
            uint8_t bytes[128];
        } out;
        uint8_t untouched[sizeof out];
        memset(&out, 0xEE, sizeof out);
        memset(untouched, 0xEE, sizeof untouched);
        unsigned read = 0;
        read += i != 0 && usmp_hello_read(&frame, &out.hello);
        read += i != 1 && usmp_challenge_read(&frame, &out.challenge);
        read += i != 2 && usmp_hello_ack_read(&frame, &out.hello_ack);
        read += i != 3 && usmp_session_ok_read(&frame, &out.session_ok);
        read += i != 4 && usmp_hello_retry_read(&frame, &out.hello_retry);
        assert_int_equal(read, 0);
        assert_memory_equal(&out, untouched, sizeof out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_hello_with_a_cookie),
        cmocka_unit_test(test_wire_1_has_no_cookie),
        cmocka_unit_test(test_hello_retry),
        cmocka_unit_test(test_challenge),
        cmocka_unit_test(test_hello_ack),
        cmocka_unit_test(test_session_ok),
        cmocka_unit_test(test_another_type_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
