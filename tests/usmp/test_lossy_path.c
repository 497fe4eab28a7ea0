/* UDP that loses datagrams: everything arrives once, or the user hears that it did not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/stage.h"

static void send_and_expect_two(struct stage *stage)
{
    stage_start(stage, "send", "one", "two", NULL);
    stage_assert_exit(stage, 0);
    stage_assert_errors(stage, "");
    stage_assert_message_count(stage, 2);
    stage_assert_message(stage, 0, "one", 3);
    stage_assert_message(stage, 1, "two", 3);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
}

static void test_every_frame_of_the_handshake_is_lost_once(void **state)
{
    struct stage *stage = *state;
    stage->gateway.lose_in[USMP_HELLO] = 1;
    stage->gateway.lose_out[USMP_CHALLENGE] = 1;
    stage->gateway.lose_in[USMP_HELLO_ACK] = 1;
    stage->gateway.lose_out[USMP_SESSION_OK] = 1;
    send_and_expect_two(stage);
}

static void test_utacks_of_the_handshake_are_lost(void **state)
{
    struct stage *stage = *state;
    stage->gateway.lose_out[LOOPBACK_UTACK] = 2;
    send_and_expect_two(stage);
}

static void test_a_message_is_lost(void **state)
{
    struct stage *stage = *state;
    stage->gateway.lose_in[USMP_DATA] = 2;
    send_and_expect_two(stage);
    assert_int_equal(stage->gateway.frames_in[USMP_DATA], 2);
}

static void test_the_utack_of_a_message_is_lost(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    stage_until(stage, stage->gateway.has_session && stage->gateway.session.confirmed);
    stage->gateway.lose_out[LOOPBACK_UTACK] = 1;
    stage_write(stage, "one\n", 4);
    stage_until(stage, stage->gateway.frames_in[USMP_DATA] == 2);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 1);
}

static void test_a_fragment_is_lost(void **state)
{
    struct stage *stage = *state;
    char longest[USMP_MESSAGE_MAX + 1] = {0};
    memset(longest, 'f', USMP_MESSAGE_MAX);
    stage->gateway.lose_in[USMP_DATA_FRAG] = 1;
    stage_start(stage, "send", longest, NULL);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 1);
    stage_assert_message(stage, 0, longest, USMP_MESSAGE_MAX);
}

static void test_what_comes_down_is_lost(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    stage_until(stage, loopback_gateway_can_send(&stage->gateway));
    stage->gateway.lose_out[USMP_DATA] = 1;
    stage_send_down(stage, "one", 3);
    stage->gateway.lose_in[LOOPBACK_UTACK] = 1;
    stage_send_down(stage, "two", 3);
    stage_until(stage, stage->program.output.size == 8);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    stage_assert_output(stage, "one\ntwo\n", 8);
}

static void test_bye_is_lost(void **state)
{
    struct stage *stage = *state;
    stage->gateway.lose_in[USMP_BYE] = 1;
    send_and_expect_two(stage);
}

static void test_a_message_that_is_never_acknowledged(void **state)
{
    struct stage *stage = *state;
    stage->gateway.takes_no_message = true;
    stage_start(stage, "send", "--timeout", "0.3", "text", "never sent", NULL);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "usmp: message 1 has not been acknowledged in time\n");
    stage_assert_message_count(stage, 0);
    assert_true(stage->gateway.frames_in[USMP_BYE] > 0);
    /* On wire 1 it comes behind a gap and cannot be taken. */
    assert_int_equal(stage->gateway.session.end, stage->way.wire == 2 ? USMP_END_BYE : USMP_END_NONE);
}

static void test_the_gateway_falls_silent(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", "--timeout", "0.3", NULL);
    stage_write(stage, "one\n", 4);
    stage_until(stage, stage->gateway.message_count == 1);
    stage->gateway.reads_nothing = true;
    stage_write(stage, "two\n", 4);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "usmp: message 2 has not been acknowledged in time\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_every_frame_of_the_handshake_is_lost_once, udp_1),
        STAGE_TEST(test_every_frame_of_the_handshake_is_lost_once, udp_2),
        STAGE_TEST(test_utacks_of_the_handshake_are_lost, udp_1),
        STAGE_TEST(test_utacks_of_the_handshake_are_lost, udp_2),
        STAGE_TEST(test_a_message_is_lost, udp_1),
        STAGE_TEST(test_a_message_is_lost, udp_2),
        STAGE_TEST(test_the_utack_of_a_message_is_lost, udp_1),
        STAGE_TEST(test_the_utack_of_a_message_is_lost, udp_2),
        STAGE_TEST(test_a_fragment_is_lost, udp_1),
        STAGE_TEST(test_a_fragment_is_lost, udp_2),
        STAGE_TEST(test_what_comes_down_is_lost, udp_1),
        STAGE_TEST(test_what_comes_down_is_lost, udp_2),
        STAGE_TEST(test_bye_is_lost, udp_1),
        STAGE_TEST(test_bye_is_lost, udp_2),
        STAGE_TEST(test_a_message_that_is_never_acknowledged, udp_1),
        STAGE_TEST(test_a_message_that_is_never_acknowledged, udp_2),
        STAGE_TEST(test_the_gateway_falls_silent, udp_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
