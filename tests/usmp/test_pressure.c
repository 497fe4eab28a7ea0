/* Whoever cannot take more holds up the other side, and nothing is lost for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/clock.h"
#include "usmp/stage.h"

#define LINE_SIZE 1000 /* with its newline */

static void make_line(unsigned number, char line[LINE_SIZE + 1])
{
    (void)snprintf(line, LINE_SIZE + 1, "%0*u\n", LINE_SIZE - 1, number);
}

/* Whether the pipe has room within a moment. */
static bool is_read_from(const struct stage *stage)
{
    struct pollfd input = {.fd = stage->program.input, .events = POLLOUT};
    return poll(&input, 1, 50) > 0 && (input.revents & POLLOUT) != 0;
}

/* Nothing is read from standard input while a message is under way, so the pipe is full sooner or later. */
static unsigned fill_standard_input_from(struct stage *stage, unsigned first)
{
    unsigned number = first;
    do {
        char line[LINE_SIZE + 1];
        make_line(number, line);
        size_t written = program_write(&stage->program, line, LINE_SIZE);
        /* A pipe takes what is shorter than PIPE_BUF whole or not at all. */
        assert_true(written == 0 || written == LINE_SIZE);
        number += written != 0 ? 1 : 0;
    } while (is_read_from(stage));
    return number - first;
}

static void test_a_gateway_that_takes_no_message(void **state)
{
    struct stage *stage = *state;
    char line[LINE_SIZE + 1];
    stage->gateway.takes_no_message = true;
    stage_start(stage, "connect", "--timeout", "3600", NULL);
    stage_write(stage, "first\n", 6);
    stage_until(stage, stage->gateway.frames_in[USMP_DATA] == 1);
    unsigned count = fill_standard_input_from(stage, 0);
    assert_in_range(count, 10, 1000);
    assert_true(stage->gateway.frames_in[USMP_DATA] <= 2); /* the one, and its first repeat */
    stage->gateway.takes_no_message = false;
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, count + 1);
    for (unsigned number = 0; number < count; number++) {
        make_line(number, line);
        stage_assert_message(stage, number + 1, line, LINE_SIZE - 1);
    }
}

/* The kernel takes some megabytes before it says that it is full. */
static void test_a_gateway_that_reads_nothing(void **state)
{
    struct stage *stage = *state;
    char line[LINE_SIZE + 1];
    stage_start(stage, "connect", "--timeout", "3600", NULL);
    stage_until(stage, loopback_gateway_can_send(&stage->gateway));
    stage->gateway.reads_nothing = true;
    unsigned count = 0;
    unsigned more;
    do {
        more = fill_standard_input_from(stage, count);
        count += more;
    } while (stage_goes_on(stage) || more > 0);
    assert_in_range(count, 10, LOOPBACK_MESSAGES_MAX - 1);
    stage->gateway.reads_nothing = false;
    stage_until(stage, stage->gateway.message_count == count);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    for (unsigned number = 0; number < count; number++) {
        make_line(number, line);
        stage_assert_message(stage, number, line, LINE_SIZE - 1);
    }
}

static void test_a_message_that_is_never_written(void **state)
{
    struct stage *stage = *state;
    stage_start(stage, "connect", "--timeout", "0.3", NULL);
    stage_until(stage, loopback_gateway_can_send(&stage->gateway));
    stage->gateway.reads_nothing = true;
    uint64_t give_up = stage_give_up();
    for (unsigned count = 0; stage->program.errors.size == 0;) {
        count += fill_standard_input_from(stage, count);
        assert_true(clock_monotonic_us() < give_up);
        (void)stage_goes_on(stage);
    }
    stage_assert_exit(stage, 1);
    stage_assert_errors(stage, "has not been written in time\n");
}

static void assert_lines_printed(struct stage *stage, unsigned count)
{
    char line[LINE_SIZE + 1];
    stage_until(stage, stage->program.output.size >= (size_t)count * LINE_SIZE);
    assert_int_equal(stage->program.output.size, (size_t)count * LINE_SIZE);
    for (unsigned number = 0; number < count; number++) {
        make_line(number, line);
        assert_memory_equal(stage->program.output.bytes + (size_t)number * LINE_SIZE, line, LINE_SIZE);
    }
}

/* UDP: it has been refused and sent again; TCP: the kernel does not take the rest of it. */
static bool is_stuck(struct stage *stage)
{
    if (stage->way.transport == USMP_UDP) {
        stage_until(stage, !stage->gateway.message_is_out || stage->gateway.session.outgoing.sends >= 3);
        return stage->gateway.message_is_out;
    }
    while (stage->gateway.message_is_out && stage_goes_on(stage))
        continue;
    return stage->gateway.message_is_out;
}

static void test_nobody_reads_for_a_while(void **state)
{
    struct stage *stage = *state;
    char line[LINE_SIZE + 1];
    stage_start(stage, "connect", NULL);
    stage->program.leaves_output = true;
    unsigned count = 0;
    do {
        assert_true(count < 4000); /* the program would keep all of that itself */
        make_line(count++, line);
        stage_until(stage, loopback_gateway_can_send(&stage->gateway));
        loopback_gateway_send(&stage->gateway, line, LINE_SIZE - 1);
    } while (!is_stuck(stage));

    /* Meanwhile the other direction is open. */
    stage_write(stage, "still here\n", 11);
    if (stage->way.transport == USMP_UDP)
        stage_until(stage, stage->gateway.message_count == 1);
    stage->program.leaves_output = false;
    assert_lines_printed(stage, count);
    program_close_input(&stage->program);
    stage_assert_exit(stage, 0);
    stage_assert_message_count(stage, 1);
    stage_assert_message(stage, 0, "still here", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(test_a_gateway_that_takes_no_message, udp_1),
        STAGE_TEST(test_a_gateway_that_takes_no_message, udp_2),
        STAGE_TEST(test_a_gateway_that_reads_nothing, tcp_1),
        STAGE_TEST(test_a_gateway_that_reads_nothing, tcp_2),
        STAGE_TEST(test_a_message_that_is_never_written, tcp_2),
        STAGE_TEST_EVERY_WAY(test_nobody_reads_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
