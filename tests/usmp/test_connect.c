/* `usmp connect`: lines up, messages down, and every way to its end. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/stage.h"

static void write_text(struct stage *stage, const char *text)
{
    stage_write(stage, text, strlen(text));
}

static void test_lines_go_up_and_messages_come_down(void **state)
{
    struct stage *stage = *state;
    char longest[USMP_MESSAGE_MAX];
    memset(longest, 'd', sizeof longest);
    stage_start(stage, "connect", NULL);
    write_text(stage, "temp=21.5\n\n");
    stage_until(stage, stage->gateway.message_count == 2);
    stage_assert_message(stage, 0, "temp=21.5", 9);
    stage_assert_message(stage, 1, "", 0);

    /* None is equal to a line with its seq: on wire 1 it would be taken for that, sent back by someone. */
    stage_send_down(stage, "relay=on", 8);
    stage_send_down(stage, longest, sizeof longest);
    stage_send_down(stage, "", 0);
    stage_until(stage, stage->program.output.size == 9 + sizeof longest + 1 + 1);
    assert_memory_equal(stage->program.output.bytes, "relay=on\n", 9);
    assert_memory_equal(stage->program.output.bytes + 9, longest, sizeof longest);
    assert_string_equal(stage->program.output.bytes + 9 + sizeof longest, "\n\n");

    write_text(stage, "without a newline");
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 3);
    stage_assert_message(stage, 2, "without a newline", 17);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
    stage_assert_errors(stage, "");
}

static void test_bytes_are_printed_as_they_are(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    stage_send_down(stage, "\x1b[2J\0\xff\n\\", 8);
    stage_until(stage, stage->program.output.size == 9);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    stage_assert_output(stage, "\x1b[2J\0\xff\n\\\n", 9);
}

static void test_hex_in_both_directions(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", "--hex", NULL);
    write_text(stage, "00FF0a\n");
    stage_send_down(stage, "\xde\xad\n", 3);
    stage_until(stage, stage->gateway.message_count == 1 && stage->program.output.size == 7);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    stage_assert_message(stage, 0, "\x00\xff\x0a", 3);
    stage_assert_output(stage, "dead0a\n", 7);
}

static void test_a_line_that_is_too_long_is_left_out(void **state)
{
    struct stage *stage = *state;
    char lines[USMP_MESSAGE_MAX + 16];
    stage_start(stage, "connect", NULL);
    memset(lines, 'x', sizeof lines);
    memcpy(lines, "first\n", 6);
    memcpy(lines + sizeof lines - 6, "\nlast\n", 6);
    stage_write(stage, lines, sizeof lines);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "usmp: line 2 is left out");
    stage_assert_message_count(stage, 2);
    stage_assert_message(stage, 0, "first", 5);
    stage_assert_message(stage, 1, "last", 4);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
}

static void test_an_empty_standard_input(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    assert_true(stage->gateway.has_session);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
    stage_assert_message_count(stage, 0);
}

static void end_by(struct stage *stage, int signal_number)
{
    stage_start(stage, "connect", NULL);
    write_text(stage, "text\n");
    stage_until(stage, stage->gateway.message_count == 1);
    assert_int_equal(kill(stage->program.process, signal_number), 0);
    stage_assert_exit(stage, 0);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
    stage_assert_errors(stage, "");
}

static void test_sigterm(void **state)
{
    end_by(*state, SIGTERM);
}

static void test_sigint(void **state)
{
    end_by(*state, SIGINT);
}

/* BYE is not answered: the first signal waits for that, the second one does not. */
static void test_a_second_signal(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    write_text(stage, "text\n");
    stage_until(stage, stage->gateway.message_count == 1);
    stage->gateway.lose_in[USMP_BYE] = 1000;
    assert_int_equal(kill(stage->program.process, SIGTERM), 0);
    stage_until(stage, stage->gateway.lose_in[USMP_BYE] < 1000);
    assert_int_equal(kill(stage->program.process, SIGTERM), 0);
    stage_assert_exit(stage, 128 + SIGTERM);
}

/* It gives up by itself, and that is no failure: everything had been acknowledged. */
static void test_a_gateway_that_does_not_answer_bye(void **state)
{
    struct stage *stage = *state;
    stage->gateway.lose_in[USMP_BYE] = 1000;
    stage_start(stage, "connect", "-v", NULL);
    write_text(stage, "text\n");
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 1);
    stage_assert_errors(stage, "did not answer BYE");
}

static void test_lingering(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", "--linger", "3600", NULL);
    write_text(stage, "question\n");
    program_close_input(&stage->program);
    stage_until(stage, stage->gateway.message_count == 1);
    stage_send_down(stage, "answer", 6);
    stage_until(stage, stage->program.output.size == 7);
    assert_int_equal(stage->gateway.session.state, USMP_SESSION_LIVE);
    assert_int_equal(kill(stage->program.process, SIGTERM), 0);
    stage_assert_exit(stage, 0);
    stage_assert_output(stage, "answer\n", 7);
}

static void test_lingering_ends(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", "--linger", "0.1", NULL);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
}

static void test_ping(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", "--ping", "0.05", NULL);
    stage_until(stage, stage->gateway.frames_in[USMP_PING] >= 3);
    write_text(stage, "text\n");
    stage_until(stage, stage->gateway.message_count == 1);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    assert_true(stage->gateway.frames_out[USMP_PONG] >= 2);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
}

static void test_no_ping_without_the_option(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    write_text(stage, "text\n");
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    assert_int_equal(stage->gateway.frames_in[USMP_PING], 0);
    assert_int_equal(stage->gateway.frames_in[USMP_REKEY], 0);
}

static void test_new_keys(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", "--rekey-after", "2", NULL);
    write_text(stage, "1\n2\n3\n4\n5\n6\n");
    stage_until(stage, stage->gateway.message_count == 6);
    stage_send_down(stage, "under the last keys", 19);
    stage_until(stage, stage->program.output.size == 20);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    assert_int_equal(stage->gateway.frames_in[USMP_REKEY], 2); /* before the third and the fifth */
    for (size_t i = 0; i < 6; i++)
        stage_assert_message(stage, i, &"123456"[i], 1);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
}

static void test_the_gateway_says_goodbye(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    write_text(stage, "text\n");
    stage_until(stage, stage->gateway.message_count == 1);
    stage_send_down(stage, "the last", 8);
    loopback_gateway_say_bye(&stage->gateway);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "usmp: the gateway said goodbye\n");
    stage_assert_output(stage, "the last\n", 9);
}

static void test_the_gateway_hangs_up(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    write_text(stage, "text\n");
    stage_until(stage, stage->gateway.message_count == 1);
    loopback_gateway_hang_up(&stage->gateway);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "usmp: the gateway closed the connection\n");
}

static void test_the_gateway_talks_nonsense(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    write_text(stage, "text\n");
    stage_until(stage, stage->gateway.message_count == 1);
    loopback_gateway_write(&stage->gateway, "HTTP/1.1 400 Bad Request\r\n", 26);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "not USMP");
}

/* The kernel answers in the place of a gateway that has gone. */
static void test_the_gateway_has_gone(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    write_text(stage, "text\n");
    stage_until(stage, stage->gateway.message_count == 1);
    loopback_gateway_close(&stage->gateway);
    stage->gateway.socket = -1;
    stage->gateway.message_count = 0;
    stage->gateway.has_session = false;
    if (stage->way.transport == USMP_UDP) /* over TCP the end is noticed without that */
        write_text(stage, "more\n");
    stage_assert_exit(stage, 1);
    if (stage->way.transport == USMP_UDP)
        stage_assert_errors(stage, "Connection refused before message 2 was acknowledged");
    else
        stage_assert_errors(stage, "usmp: the gateway closed the connection\n");
}

static void test_nobody_reads_what_is_printed(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", NULL);
    write_text(stage, "text\n");
    stage_until(stage, stage->gateway.message_count == 1);
    program_close_output(&stage->program);
    stage_send_down(stage, "never read", 10);
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "usmp: standard output: Broken pipe\n");
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
}

/* A socket that got the number of standard input would be taken for it. */
static void test_closed_standard_streams(void **state)
{
    struct stage *stage = *state;
    char command[512];
    (void)snprintf(command, sizeof command, "\"$0\" connect %s -d %s --psk-file %s %s <&-", stage->endpoint,
                   STAGE_DEVICE, stage->key_path, stage->way.transport == USMP_UDP ? "--udp" : "");
    program_start_shell(&stage->program, command);
    stage_assert_exit(stage, 0);
    assert_int_equal(stage->gateway.session.end, USMP_END_BYE);
    stage_assert_message_count(stage, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST_EVERY_WAY(test_lines_go_up_and_messages_come_down),
        STAGE_TEST_EVERY_WAY(test_bytes_are_printed_as_they_are),
        STAGE_TEST_EVERY_WAY(test_hex_in_both_directions),
        STAGE_TEST_EVERY_WAY(test_a_line_that_is_too_long_is_left_out),
        STAGE_TEST_EVERY_WAY(test_an_empty_standard_input),
        STAGE_TEST_EVERY_WAY(test_sigterm),
        STAGE_TEST_EVERY_WAY(test_sigint),
        STAGE_TEST(test_a_second_signal, udp_2),
        STAGE_TEST(test_a_gateway_that_does_not_answer_bye, udp_2),
        STAGE_TEST_EVERY_WAY(test_lingering),
        STAGE_TEST_EVERY_WAY(test_lingering_ends),
        STAGE_TEST_EVERY_WAY(test_ping),
        STAGE_TEST_EVERY_WAY(test_no_ping_without_the_option),
        STAGE_TEST(test_new_keys, tcp_2),
        STAGE_TEST(test_new_keys, udp_2),
        STAGE_TEST_EVERY_WAY(test_the_gateway_says_goodbye),
        STAGE_TEST(test_the_gateway_hangs_up, tcp_1),
        STAGE_TEST(test_the_gateway_hangs_up, tcp_2),
        STAGE_TEST(test_the_gateway_talks_nonsense, tcp_2),
        STAGE_TEST_EVERY_WAY(test_the_gateway_has_gone),
        STAGE_TEST_EVERY_WAY(test_nobody_reads_what_is_printed),
        STAGE_TEST(test_closed_standard_streams, tcp_2),
        STAGE_TEST(test_closed_standard_streams, udp_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
