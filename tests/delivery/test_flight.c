#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/flight.h"

static int setup(void **state)
{
    struct flight *flight = malloc(sizeof *flight);
    assert_non_null(flight);
    flight_clear(flight);
    *state = flight;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* Line n is "line n\n", costs 100 + n and took the id n. */
static void add(struct flight *flight, unsigned number)
{
    char *line = flight_line_begin(flight);
    assert_non_null(line);
    int length = sprintf(line, "line %u\n", number);
    flight_line_end(flight, (size_t)length, 100 + number, number);
}

static void expect_unsent(const struct flight *flight, const char *expected)
{
    size_t size;
    const char *unsent = flight_unsent(flight, &size);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(unsent, expected, size);
}

static void expect_progress(struct flight_progress progress, uint64_t events, uint64_t cost)
{
    assert_int_equal(progress.events, events);
    assert_int_equal(progress.cost, cost);
}

static void lines_are_done_when_their_last_byte_is_sent(void **state)
{
    struct flight *flight = *state;
    assert_true(flight_is_empty(flight));
    add(flight, 1);
    add(flight, 2);
    add(flight, 3);
    assert_int_equal(flight->cost, 306);
    expect_unsent(flight, "line 1\nline 2\nline 3\n");

    expect_progress(flight_sent(flight, 6), 0, 0);
    assert_false(flight_is_between_lines(flight));
    expect_progress(flight_sent(flight, 1), 1, 101);
    assert_true(flight_is_between_lines(flight));
    assert_int_equal(flight->cost, 205);
    assert_int_equal(flight_next_id(flight), 2);
    expect_progress(flight_sent(flight, 14), 2, 205);
    assert_true(flight_is_empty(flight));
    assert_int_equal(flight->cost, 0);
    expect_unsent(flight, "");
}

static void a_half_sent_line_begins_anew(void **state)
{
    struct flight *flight = *state;
    add(flight, 1);
    add(flight, 2);
    expect_progress(flight_sent(flight, 9), 1, 101);
    expect_unsent(flight, "ne 2\n");
    flight_rewind(flight);
    expect_unsent(flight, "line 2\n");
    assert_int_equal(flight_next_id(flight), 2);
    assert_true(flight_is_between_lines(flight));
    expect_progress(flight_sent(flight, 7), 1, 102);
    assert_true(flight_is_empty(flight));
}

static void lines_that_were_not_sent_stay(void **state)
{
    struct flight *flight = *state;
    add(flight, 1);
    flight_rewind(flight);
    expect_unsent(flight, "line 1\n");
    assert_int_equal(flight->cost, 101);
}

static void a_lost_is_no_event(void **state)
{
    struct flight *flight = *state;
    memcpy(flight_line_begin(flight), "lost\n", 5);
    flight_line_end(flight, 5, 0, 1);
    add(flight, 2);
    expect_progress(flight_sent(flight, 12), 1, 102);
}

static void it_takes_so_many_lines_and_no_more(void **state)
{
    struct flight *flight = *state;
    for (unsigned number = 0; number < FLIGHT_LINES; number++)
        add(flight, number);
    assert_null(flight_line_begin(flight));
    expect_progress(flight_sent(flight, 7), 1, 100);
    assert_null(flight_line_begin(flight));
    expect_progress(flight_sent(flight, flight->length - 7), FLIGHT_LINES - 1, 63 * 100 + 63 * 64 / 2);
    add(flight, 7);
    expect_unsent(flight, "line 7\n");
}

static void it_takes_only_what_certainly_fits(void **state)
{
    struct flight *flight = *state;
    unsigned lines = 0;
    for (char *line = flight_line_begin(flight); line != NULL; line = flight_line_begin(flight)) {
        memset(line, 'x', EVENT_NDJSON_LINE_MAX); /* a sanitizer would see a write past the end */
        flight_line_end(flight, EVENT_NDJSON_LINE_MAX, 1, lines);
        lines++;
    }
    assert_int_equal(lines, FLIGHT_SIZE / EVENT_NDJSON_LINE_MAX);
    assert_true(flight->length <= FLIGHT_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_done_when_their_last_byte_is_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(a_half_sent_line_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_that_were_not_sent_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_is_no_event, setup, teardown),
        cmocka_unit_test_setup_teardown(it_takes_so_many_lines_and_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(it_takes_only_what_certainly_fits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
