/* No session: every way to be refused has words of its own, and exit status 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/stage.h"

static void expect_failure(struct stage *stage, const char *reason)
{
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, reason);
    stage_assert_errors(stage, stage->endpoint);
    stage_assert_output(stage, "", 0);
    stage_assert_message_count(stage, 0);
}

static void test_the_gateway_has_another_key_and_says_nothing(void **state)
{
    struct stage *stage = *state;
    usmp_psk_init(&stage->gateway.psk, "another key altogether", 22);
    stage_start(stage, "send", "text", NULL);
    expect_failure(stage, "it does not know it, or has another key for it");
    assert_true(stage->gateway.refused > 0);
}

/* It takes the device's proof, so it is one that could not check it. */
static void test_the_gateway_cannot_prove_itself(void **state)
{
    struct stage *stage = *state;
    usmp_psk_init(&stage->gateway.session_ok_psk, "another key altogether", 22);
    stage_start(stage, "send", "--timeout", "2", "text", NULL);
    expect_failure(stage, "the gateway has another key for this device");
}

static void test_nobody_is_there(void **state)
{
    struct stage *stage = *state;
    loopback_gateway_close(&stage->gateway);
    stage->gateway.socket = -1;
    stage_start(stage, "send", "text", NULL);
    expect_failure(stage, "Connection refused");
}

static void test_the_gateway_says_nothing(void **state)
{
    struct stage *stage = *state;
    stage->gateway.reads_nothing = true;
    stage_start(stage, "connect", "--timeout", "0.3", NULL);
    expect_failure(stage, "no answer");
}

/* Five sends, and that is it, however long the time-out. */
static void test_the_gateway_hears_nothing(void **state)
{
    struct stage *stage = *state;
    stage->gateway.lose_in[USMP_HELLO] = 1000;
    stage_start(stage, "send", "--timeout", "3600", "text", NULL);
    expect_failure(stage, "no answer");
    assert_int_equal(stage->gateway.lose_in[USMP_HELLO], 1000 - 5);
}

static void test_the_gateway_hangs_up_at_once(void **state)
{
    struct stage *stage = *state;
    stage->gateway.reads_nothing = true;
    stage_start(stage, "send", "text", NULL);
    struct pollfd waiting = {.fd = stage->gateway.socket, .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, 60000), 1);
    stage->gateway.reads_nothing = false;
    stage_until(stage, stage->gateway.connections == 1);
    loopback_gateway_hang_up(&stage->gateway);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage,
                        "the gateway hung up: it does not speak wire 2, is full, or has locked this address out");
}

static void test_another_server_is_there(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "send", "text", NULL);
    stage->gateway.reads_nothing = false;
    stage_until(stage, stage->gateway.connections == 1);
    stage->gateway.reads_nothing = true;
    loopback_gateway_write(&stage->gateway, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", 32);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "not USMP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST_EVERY_WAY(test_the_gateway_has_another_key_and_says_nothing),
        STAGE_TEST_EVERY_WAY(test_the_gateway_cannot_prove_itself),
        STAGE_TEST_EVERY_WAY(test_nobody_is_there),
        STAGE_TEST(test_the_gateway_says_nothing, tcp_2),
        STAGE_TEST(test_the_gateway_says_nothing, udp_2),
        STAGE_TEST(test_the_gateway_hears_nothing, udp_1),
        STAGE_TEST(test_the_gateway_hears_nothing, udp_2),
        STAGE_TEST(test_the_gateway_hangs_up_at_once, tcp_2),
        STAGE_TEST(test_another_server_is_there, tcp_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
