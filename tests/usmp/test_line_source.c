#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "usmp/line_source.h"
#include "usmp/reported.h"

struct pipe {
    int reader;
    int writer;
    struct line_source lines;
    struct source_message message;
};

static int open_pipe(void **state)
{
    struct pipe *pipe_of_test = calloc(1, sizeof *pipe_of_test);
    int ends[2];
    if (pipe_of_test == NULL || pipe(ends) != 0)
        return -1;
    pipe_of_test->reader = ends[0];
    pipe_of_test->writer = ends[1];
    line_source_init(&pipe_of_test->lines, ends[0], false);
    reported_forget();
    *state = pipe_of_test;
    return 0;
}

static int close_pipe(void **state)
{
    struct pipe *pipe = *state;
    close(pipe->reader);
    if (pipe->writer >= 0)
        close(pipe->writer);
    free(pipe);
    return 0;
}

static void put(struct pipe *pipe, const char *text)
{
    assert_int_equal(write(pipe->writer, text, strlen(text)), (ssize_t)strlen(text));
    pipe->lines.source.read(&pipe->lines.source);
}

static void put_many(struct pipe *pipe, char character, size_t count)
{
    while (count > 0) {
        char piece[500];
        size_t size = count < sizeof piece ? count : sizeof piece;
        memset(piece, character, size);
        assert_int_equal(write(pipe->writer, piece, size), (ssize_t)size);
        count -= size;
    }
}

static void end(struct pipe *pipe)
{
    close(pipe->writer);
    pipe->writer = -1;
    pipe->lines.source.read(&pipe->lines.source);
}

static enum source_verdict next(struct pipe *pipe)
{
    return pipe->lines.source.next(&pipe->lines.source, &pipe->message);
}

/* Reads as often as it asks for, with the writer closed. */
static enum source_verdict next_until_end(struct pipe *pipe)
{
    enum source_verdict verdict;
    while ((verdict = next(pipe)) == SOURCE_WAIT)
        pipe->lines.source.read(&pipe->lines.source);
    return verdict;
}

static void assert_message(struct pipe *pipe, const char *text)
{
    assert_int_equal(next(pipe), SOURCE_MESSAGE);
    assert_int_equal(pipe->message.size, strlen(text));
    assert_memory_equal(pipe->message.bytes, text, strlen(text));
}

static void test_lines_without_their_newlines(void **state)
{
    struct pipe *pipe = *state;
    assert_int_equal(next(pipe), SOURCE_WAIT);
    put(pipe, "temp=21.5\nhum=40\r\n\n");
    assert_message(pipe, "temp=21.5");
    assert_message(pipe, "hum=40\r");
    assert_message(pipe, "");
    assert_int_equal(next(pipe), SOURCE_WAIT);
    end(pipe);
    assert_int_equal(next(pipe), SOURCE_END);
    assert_int_equal(next(pipe), SOURCE_END);
    assert_nothing_reported();
}

static void test_lines_in_pieces(void **state)
{
    struct pipe *pipe = *state;
    put(pipe, "on");
    assert_int_equal(next(pipe), SOURCE_WAIT);
    put(pipe, "e\ntw");
    assert_message(pipe, "one");
    assert_int_equal(next(pipe), SOURCE_WAIT);
    put(pipe, "o\n");
    assert_message(pipe, "two");
    assert_int_equal(next(pipe), SOURCE_WAIT);
}

static void test_what_stands_behind_the_last_newline(void **state)
{
    struct pipe *pipe = *state;
    put(pipe, "one\nrest");
    end(pipe);
    assert_message(pipe, "one");
    assert_message(pipe, "rest");
    assert_int_equal(next(pipe), SOURCE_END);
}

static void test_zero_bytes_are_bytes(void **state)
{
    struct pipe *pipe = *state;
    assert_int_equal(write(pipe->writer, "a\0b\n", 4), 4);
    pipe->lines.source.read(&pipe->lines.source);
    assert_int_equal(next(pipe), SOURCE_MESSAGE);
    assert_int_equal(pipe->message.size, 3);
    assert_memory_equal(pipe->message.bytes, "a\0b", 3);
}

static void test_the_longest_line(void **state)
{
    struct pipe *pipe = *state;
    put_many(pipe, 'x', USMP_MESSAGE_MAX);
    put_many(pipe, '\n', 1);
    put_many(pipe, 'y', USMP_MESSAGE_MAX);
    end(pipe);
    assert_int_equal(next_until_end(pipe), SOURCE_MESSAGE);
    assert_int_equal(pipe->message.size, USMP_MESSAGE_MAX);
    assert_int_equal(pipe->message.bytes[USMP_MESSAGE_MAX - 1], 'x');
    assert_int_equal(next_until_end(pipe), SOURCE_MESSAGE);
    assert_int_equal(pipe->message.size, USMP_MESSAGE_MAX);
    assert_int_equal(pipe->message.bytes[0], 'y');
    assert_int_equal(next_until_end(pipe), SOURCE_END);
    assert_nothing_reported();
}

/* By one byte, and by more than any buffer; with a newline behind it, and at the end. */
static void refuse_line_of(struct pipe *pipe, size_t size)
{
    put_many(pipe, 'a', 1);
    put_many(pipe, '\n', 1);
    put_many(pipe, 'x', size);
    put_many(pipe, '\n', 1);
    put_many(pipe, 'b', 1);
    put_many(pipe, '\n', 1);
    put_many(pipe, 'x', size);
    end(pipe);
    assert_int_equal(next_until_end(pipe), SOURCE_MESSAGE);
    assert_int_equal(pipe->message.bytes[0], 'a');
    assert_int_equal(next_until_end(pipe), SOURCE_REFUSED);
    assert_reported("line 2 ");
    assert_reported("1808");
    reported_forget();
    assert_int_equal(next_until_end(pipe), SOURCE_MESSAGE);
    assert_int_equal(pipe->message.size, 1);
    assert_int_equal(pipe->message.bytes[0], 'b');
    assert_nothing_reported();
    assert_int_equal(next_until_end(pipe), SOURCE_REFUSED);
    assert_reported("line 4 ");
    reported_forget();
    assert_int_equal(next_until_end(pipe), SOURCE_END);
    assert_nothing_reported();
}

static void test_a_line_that_is_a_byte_too_long(void **state)
{
    refuse_line_of(*state, USMP_MESSAGE_MAX + 1);
}

static void test_a_line_that_fills_the_buffer(void **state)
{
    refuse_line_of(*state, LINE_SOURCE_SIZE);
}

static void test_a_line_that_is_far_too_long(void **state)
{
    refuse_line_of(*state, 20000);
}

static void test_hex(void **state)
{
    struct pipe *pipe = *state;
    line_source_init(&pipe->lines, pipe->reader, true);
    put(pipe, "00ff\n\nABcd\n");
    assert_int_equal(next(pipe), SOURCE_MESSAGE);
    assert_int_equal(pipe->message.size, 2);
    assert_memory_equal(pipe->message.bytes, "\x00\xff", 2);
    assert_message(pipe, "");
    assert_message(pipe, "\xab\xcd");
    put_many(pipe, '7', 2 * (size_t)USMP_MESSAGE_MAX);
    put_many(pipe, '\n', 1);
    end(pipe);
    assert_int_equal(next_until_end(pipe), SOURCE_MESSAGE);
    assert_int_equal(pipe->message.size, USMP_MESSAGE_MAX);
    assert_int_equal(pipe->message.bytes[USMP_MESSAGE_MAX - 1], 0x77);
    assert_nothing_reported();
}

static void test_what_is_no_hex(void **state)
{
    struct pipe *pipe = *state;
    line_source_init(&pipe->lines, pipe->reader, true);
    put(pipe, "0\n00 11\nzz\n42\n");
    for (int line = 1; line <= 3; line++) {
        char number[24];
        (void)snprintf(number, sizeof number, "line %d ", line);
        assert_int_equal(next(pipe), SOURCE_REFUSED);
        assert_reported(number);
        assert_reported("hex");
        reported_forget();
    }
    assert_message(pipe, "B");
    put_many(pipe, '7', 2 * (size_t)USMP_MESSAGE_MAX + 2);
    put_many(pipe, '\n', 1);
    end(pipe);
    assert_int_equal(next_until_end(pipe), SOURCE_REFUSED);
    assert_reported("line 5 ");
    assert_reported("1808");
    assert_int_equal(next_until_end(pipe), SOURCE_END);
}

static void test_a_descriptor_that_cannot_be_read(void **state)
{
    struct pipe *pipe = *state;
    put(pipe, "whole\nhalf");
    assert_message(pipe, "whole");
    pipe->lines.source.descriptor = -1;
    pipe->lines.source.read(&pipe->lines.source);
    assert_reported("standard input");
    assert_message(pipe, "half");
    assert_int_equal(next(pipe), SOURCE_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_without_their_newlines, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_lines_in_pieces, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_what_stands_behind_the_last_newline, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_zero_bytes_are_bytes, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_the_longest_line, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_a_line_that_is_a_byte_too_long, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_a_line_that_fills_the_buffer, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_a_line_that_is_far_too_long, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_hex, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_what_is_no_hex, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(test_a_descriptor_that_cannot_be_read, open_pipe, close_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
