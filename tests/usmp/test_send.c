/* `usmp send` to a gateway that does what it should. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "usmp/stage.h"

static void assert_said_bye(const struct stage *stage)
{
    assert_int_equal(stage->gateway.session.state, USMP_SESSION_ENDED);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
    assert_int_equal(stage->gateway.frames_in[USMP_BYE], 1);
}

static void test_texts_arrive_in_their_order(void **state)
{
    struct stage *stage = *state;
    char longest[USMP_MESSAGE_MAX + 1] = {0};
    char one_frame[USMP_PLAINTEXT_MAX + 1] = {0};
    memset(longest, 'l', USMP_MESSAGE_MAX);
    memset(one_frame, 'o', USMP_PLAINTEXT_MAX);
    stage_start(stage, "send", "temp=21.5", "", one_frame, longest, "temp=21.5", NULL);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 5);
    stage_assert_message(stage, 0, "temp=21.5", 9);
    stage_assert_message(stage, 1, "", 0);
    stage_assert_message(stage, 2, one_frame, USMP_PLAINTEXT_MAX);
    stage_assert_message(stage, 3, longest, USMP_MESSAGE_MAX);
    stage_assert_message(stage, 4, "temp=21.5", 9);
    stage_assert_output(stage, "", 0);
    stage_assert_errors(stage, "");
    assert_said_bye(stage);
}

static void test_bytes_in_hex(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "send", "--hex", "00ff0a", "", NULL);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 2);
    stage_assert_message(stage, 0, "\x00\xff\x0a", 3);
    stage_assert_message(stage, 1, "", 0);
}

static void test_what_verbose_says(void **state)
{
    struct stage *stage = *state;
    char session_id[2 * USMP_SESSION_ID_SIZE + 1];
    stage_start(stage, "send", "-v", "temp=21.5", "hum=40", NULL);
    stage_assert_exit(stage, 0);
    for (size_t i = 0; i < USMP_SESSION_ID_SIZE; i++)
        (void)snprintf(session_id + 2 * i, 3, "%02x", stage->gateway.session.session_id[i]);
    stage_assert_errors(stage, session_id);
    stage_assert_errors(stage, stage->endpoint);
    stage_assert_errors(stage, stage->way.wire == 1 ? "wire 1" : "wire 2");
    if (stage->way.transport == USMP_UDP)
        stage_assert_errors(stage, "over UDP");
    else
        stage_assert_errors(stage, "over TCP");
    stage_assert_errors(stage, "message 2 ");
    stage_assert_output(stage, "", 0);
}

static void test_the_key_may_come_in_hex_and_from_standard_input(void **state)
{
    struct stage *stage = *state;
    static const char key[] = STAGE_KEY;
    char digits[2 * sizeof key + 1];
    for (size_t i = 0; i < sizeof key - 1; i++)
        (void)snprintf(digits + 2 * i, 3, "%02x", (unsigned char)key[i]);
    program_start(&stage->program, (const char *const[]){"send", stage->endpoint, "-d", "DEADBEEF0001",
                                                         "--psk-hex-file", "-", "text", NULL});
    stage_write(stage, digits, strlen(digits));
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    stage_assert_errors(stage, "");
    stage_assert_message_count(stage, 1);
}

static void test_ipv6(void **state)
{
    struct stage *stage = *state;
    if (!stage_reopen_gateway(stage, AF_INET6))
        skip();
    stage_start(stage, "send", "text", NULL);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 1);
}

static void test_what_comes_down_is_counted(void **state)
{
    struct stage *stage = *state;
    stage->gateway.takes_no_message = true; /* it waits for that */
    stage_start(stage, "send", "text", NULL);
    stage_send_down(stage, "unasked", 7);
    stage->gateway.takes_no_message = false;
    stage_assert_exit(stage, 0);
    stage_assert_output(stage, "", 0);
    stage_assert_errors(stage, "not shown: 1");
    stage_assert_message_count(stage, 1);
}

static void test_chacha20(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "send", "--cipher", "chacha20-poly1305", "text", "more", NULL);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 2);
    assert_int_equal(stage->gateway.session.cipher, USMP_CIPHER_CHACHA20_POLY1305);
}

static void test_aes_without_an_option(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "send", "text", NULL);
    stage_assert_exit(stage, 0);
    assert_int_equal(stage->gateway.session.cipher, USMP_CIPHER_AES_256_GCM);
}

static void test_a_cookie_is_given_back(void **state)
{
    struct stage *stage = *state;
    stage->gateway.asks_for_cookie = true;
    stage_start(stage, "send", "text", NULL);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 1);
    assert_int_equal(stage->gateway.frames_out[USMP_HELLO_RETRY], 1);
    assert_int_equal(stage->gateway.frames_in[USMP_HELLO], 2);
}

/* A signal before everything is sent: BYE, and no success. */
static void interrupt_with(struct stage *stage, int signal_number)
{
    stage->gateway.takes_no_message = true;
    stage_start(stage, "send", "text", NULL);
    stage_until(stage, stage->gateway.frames_in[USMP_DATA] > 0);
    assert_int_equal(kill(stage->program.process, signal_number), 0);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "interrupted");
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
    stage_assert_message_count(stage, 0);
}

static void test_a_signal_before_the_end(void **state)
{
    interrupt_with(*state, SIGTERM);
}

static void test_an_interrupt_before_the_end(void **state)
{
    interrupt_with(*state, SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST_EVERY_WAY(test_texts_arrive_in_their_order),
        STAGE_TEST_EVERY_WAY(test_bytes_in_hex),
        STAGE_TEST_EVERY_WAY(test_what_verbose_says),
        STAGE_TEST(test_the_key_may_come_in_hex_and_from_standard_input, tcp_2),
        STAGE_TEST(test_ipv6, tcp_2),
        STAGE_TEST(test_ipv6, udp_2),
        STAGE_TEST(test_what_comes_down_is_counted, udp_2),
        STAGE_TEST(test_chacha20, tcp_2),
        STAGE_TEST(test_chacha20, udp_2),
        STAGE_TEST_EVERY_WAY(test_aes_without_an_option),
        STAGE_TEST(test_a_cookie_is_given_back, udp_2),
        STAGE_TEST(test_a_signal_before_the_end, udp_2),
        STAGE_TEST(test_an_interrupt_before_the_end, udp_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
