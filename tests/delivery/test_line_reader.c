#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/line_reader.h"

static int setup(void **state)
{
    struct line_reader *reader = malloc(sizeof *reader);
    assert_non_null(reader);
    line_reader_clear(reader);
    *state = reader;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void feed(struct line_reader *reader, const char *bytes, size_t size)
{
    size_t room;
    char *space = line_reader_space(reader, &room);
    assert_true(size <= room);
    memcpy(space, bytes, size);
    line_reader_filled(reader, size);
}

static void feed_text(struct line_reader *reader, const char *text)
{
    feed(reader, text, strlen(text));
}

static void expect_line(struct line_reader *reader, const char *expected)
{
    const char *line;
    size_t size;
    assert_int_equal(line_reader_next(reader, &line, &size), LINE_READER_LINE);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(line, expected, size);
}

static void expect_verdict(struct line_reader *reader, enum line_reader_verdict verdict)
{
    const char *line;
    size_t size;
    assert_int_equal(line_reader_next(reader, &line, &size), verdict);
}

static void lines_come_out_whole_however_they_arrive(void **state)
{
    struct line_reader *reader = *state;
    expect_verdict(reader, LINE_READER_NOTHING);
    feed_text(reader, "first\nsecond\n\nfo");
    expect_line(reader, "first");
    expect_line(reader, "second");
    expect_line(reader, "");
    expect_verdict(reader, LINE_READER_NOTHING);
    feed_text(reader, "ur");
    expect_verdict(reader, LINE_READER_NOTHING);
    feed_text(reader, "th\r\n");
    expect_line(reader, "fourth\r");
    expect_verdict(reader, LINE_READER_NOTHING);
}

static void one_byte_at_a_time_is_as_good(void **state)
{
    struct line_reader *reader = *state;
    for (const char *byte = "one\ntwo"; *byte != '\0'; byte++) {
        feed(reader, byte, 1);
        if (*byte == '\n')
            expect_line(reader, "one");
        else
            expect_verdict(reader, LINE_READER_NOTHING);
    }
    feed_text(reader, "\n");
    expect_line(reader, "two");
}

static char *line_of(size_t size)
{
    char *line = malloc(size + 1);
    assert_non_null(line);
    memset(line, 'x', size);
    line[size] = '\0';
    return line;
}

static void a_line_of_16_kib_is_taken_and_one_byte_more_is_not(void **state)
{
    struct line_reader *reader = *state;
    char *line = line_of(NDJSON_LINE_MAX);
    feed_text(reader, line);
    expect_verdict(reader, LINE_READER_NOTHING);
    feed_text(reader, "\n");
    expect_line(reader, line);

    feed_text(reader, line);
    feed_text(reader, "y\nnext\n");
    expect_verdict(reader, LINE_READER_TOO_LONG);
    expect_line(reader, "next");
    free(line);
}

static void a_line_without_end_is_reported_once(void **state)
{
    struct line_reader *reader = *state;
    char *line = line_of(NDJSON_LINE_MAX + 1);
    feed_text(reader, line);
    expect_verdict(reader, LINE_READER_TOO_LONG);
    for (int i = 0; i < 10; i++) {
        expect_verdict(reader, LINE_READER_NOTHING);
        feed_text(reader, line);
        expect_verdict(reader, LINE_READER_NOTHING);
    }
    feed_text(reader, "the end of it\ngood\n");
    expect_line(reader, "good");
    free(line);
}

static void there_is_always_room_to_read(void **state)
{
    struct line_reader *reader = *state;
    unsigned long total = 0;
    for (unsigned i = 0; i < 3000; i++) {
        size_t room;
        char *space = line_reader_space(reader, &room);
        assert_true(room > 0);
        size_t size = i % 7 * 5000 + 1;
        size = size < room ? size : room;
        memset(space, 'z', size);
        if (i % 3 == 0)
            space[size - 1] = '\n';
        line_reader_filled(reader, size);
        const char *line;
        size_t length;
        while (line_reader_next(reader, &line, &length) != LINE_READER_NOTHING)
            total++;
    }
    assert_true(total >= 1000);
}

static void the_rest_counts_as_a_line_at_the_end(void **state)
{
    struct line_reader *reader = *state;
    const char *line;
    size_t size;
    assert_false(line_reader_rest(reader, &line, &size));
    feed_text(reader, "one\ntwo");
    expect_line(reader, "one");
    expect_verdict(reader, LINE_READER_NOTHING);
    assert_true(line_reader_rest(reader, &line, &size));
    assert_int_equal(size, 3);
    assert_memory_equal(line, "two", 3);
    assert_false(line_reader_rest(reader, &line, &size));
}

static void the_rest_of_a_long_line_is_none(void **state)
{
    struct line_reader *reader = *state;
    char *line = line_of(NDJSON_LINE_MAX + 1);
    feed_text(reader, line);
    expect_verdict(reader, LINE_READER_TOO_LONG);
    feed_text(reader, "more");
    expect_verdict(reader, LINE_READER_NOTHING);
    const char *rest;
    size_t size;
    assert_false(line_reader_rest(reader, &rest, &size));
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_come_out_whole_however_they_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(one_byte_at_a_time_is_as_good, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_of_16_kib_is_taken_and_one_byte_more_is_not, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_without_end_is_reported_once, setup, teardown),
        cmocka_unit_test_setup_teardown(there_is_always_room_to_read, setup, teardown),
        cmocka_unit_test_setup_teardown(the_rest_counts_as_a_line_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(the_rest_of_a_long_line_is_none, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
