#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/session_list.h"

static const uint8_t KEY[DEVICE_TABLE_KEY_SIZE] = {7};
static bool memory_is_short;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

struct fixture {
    struct directory directory;
    struct event_queue queue;
    struct event_ndjson encoder;
    struct byte_fifo answers;
    struct session_list list;
    struct session_list_source source;
};

static int setup(void **state)
{
    memory_is_short = false;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_true(directory_open(&fixture->directory, KEY));
    event_queue_open(&fixture->queue, 65536);
    byte_fifo_open(&fixture->answers, 4096);
    session_list_open(&fixture->list);
    fixture->source = (struct session_list_source){
        .directory = &fixture->directory, .queue = &fixture->queue, .encoder = &fixture->encoder, .backend = 1};
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    memory_is_short = false;
    session_list_close(&fixture->list, &fixture->source);
    byte_fifo_close(&fixture->answers);
    event_queue_close(&fixture->queue);
    directory_close(&fixture->directory);
    free(fixture);
    return 0;
}

/* As the hub does it: into the directory and into the queue. */
static void happen(struct fixture *fixture, enum seam_event_kind kind, uint8_t device, uint32_t backends)
{
    struct seam_event event = {.kind = kind, .wire = 1, .backends = backends, .device = {0xd0, device}};
    if (kind == SEAM_CONNECTED)
        assert_true(directory_begin(&fixture->directory, &event, 0));
    else
        directory_end(&fixture->directory, &event);
    if (backends & 1)
        assert_true(event_queue_push(&fixture->queue, &event, NULL));
}

static void let_one_event_go(struct fixture *fixture)
{
    struct queued_event event;
    assert_int_equal(event_queue_take(&fixture->queue, &event), EVENT_QUEUE_EVENT);
}

static bool ask(struct fixture *fixture, const char *name)
{
    struct answer_ref ref = {.given = true, .size = (uint8_t)strlen(name)};
    memcpy(ref.bytes, name, strlen(name));
    return session_list_ask(&fixture->list, &fixture->source, &ref);
}

static enum session_list_verdict write_list(struct fixture *fixture)
{
    return session_list_write(&fixture->list, &fixture->source, &fixture->answers);
}

/* Takes the answers and compares them, shortened: "a:d001 a:d002 a=2" are two sessions and the end of list a. */
static void expect_answers(struct fixture *fixture, const char *expected)
{
    size_t size = fixture->answers.size;
    char *lines = calloc(1, size + 1);
    assert_non_null(lines);
    byte_fifo_take(&fixture->answers, lines, size);
    char summary[1000] = "";
    for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char item[32];
        char ref = *(strstr(line, "\"ref\":\"") + 7);
        const char *device = strstr(line, "\"device\":\"");
        if (device != NULL)
            (void)snprintf(item, sizeof item, "%c:%.2s%.2s ", ref, device + 10, device + 13);
        else
            (void)snprintf(item, sizeof item, "%c=%ld ", ref, strtol(strstr(line, "\"count\":") + 8, NULL, 10));
        strcat(summary, item);
    }
    free(lines);
    assert_string_equal(summary, expected);
}

static void a_list_of_nothing_is_a_count(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "");
    assert_true(ask(fixture, "a"));
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "a=0 ");
}

static void a_list_waits_for_the_events_before_it(void **state)
{
    struct fixture *fixture = *state;
    happen(fixture, SEAM_CONNECTED, 1, 1);
    happen(fixture, SEAM_CONNECTED, 2, 1);
    assert_true(ask(fixture, "a"));
    happen(fixture, SEAM_CONNECTED, 3, 1);

    let_one_event_go(fixture);
    assert_false(session_list_goes_first(&fixture->list, &fixture->source));
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "");
    let_one_event_go(fixture);
    assert_true(session_list_goes_first(&fixture->list, &fixture->source));
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "a:d001 a:d002 a=2 ");
    assert_false(session_list_goes_first(&fixture->list, &fixture->source));
}

static void events_after_the_command_are_not_in_the_list(void **state)
{
    struct fixture *fixture = *state;
    happen(fixture, SEAM_CONNECTED, 1, 1);
    happen(fixture, SEAM_CONNECTED, 2, 1);
    assert_true(ask(fixture, "a"));
    happen(fixture, SEAM_DISCONNECTED, 1, 1);
    happen(fixture, SEAM_CONNECTED, 3, 1);
    let_one_event_go(fixture);
    let_one_event_go(fixture);
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "a:d001 a:d002 a=2 ");
}

static void dropped_events_hold_no_list_up(void **state)
{
    struct fixture *fixture = *state;
    happen(fixture, SEAM_CONNECTED, 1, 1);
    assert_true(ask(fixture, "a"));
    (void)event_queue_drop_oldest(&fixture->queue);
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "a:d001 a=1 ");
}

static void devices_of_other_backends_are_not_shown(void **state)
{
    struct fixture *fixture = *state;
    happen(fixture, SEAM_CONNECTED, 1, 2);
    happen(fixture, SEAM_CONNECTED, 2, 3);
    let_one_event_go(fixture);
    assert_true(ask(fixture, "a"));
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "a:d002 a=1 ");
}

static void several_lists_are_answered_in_turn(void **state)
{
    struct fixture *fixture = *state;
    happen(fixture, SEAM_CONNECTED, 1, 1);
    assert_true(ask(fixture, "a"));
    assert_true(ask(fixture, "b"));
    happen(fixture, SEAM_DISCONNECTED, 1, 1);
    happen(fixture, SEAM_CONNECTED, 2, 1);
    let_one_event_go(fixture);
    /* The second begins when the first is done: behind the events that had come by then. */
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "a:d001 a=1 ");
    let_one_event_go(fixture);
    let_one_event_go(fixture);
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "b:d002 b=1 ");
}

static void sixteen_lists_may_wait(void **state)
{
    struct fixture *fixture = *state;
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < SESSION_LIST_WAITING_MAX; i++)
            assert_true(ask(fixture, "x"));
        assert_false(ask(fixture, "y"));
        assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
        expect_answers(fixture, "x=0 x=0 x=0 x=0 x=0 x=0 x=0 x=0 x=0 x=0 x=0 x=0 x=0 x=0 x=0 x=0 ");
    }
}

static void a_long_list_comes_in_pieces(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t device = 0; device < 5000; device++) {
        struct seam_event event = {.kind = SEAM_CONNECTED, .wire = 2, .backends = device % 2 == 0 ? 1 : 2};
        memcpy(event.device, &device, sizeof device);
        assert_true(directory_begin(&fixture->directory, &event, 0));
    }
    assert_true(ask(fixture, "a"));
    size_t lines = 0;
    size_t pieces = 0;
    enum session_list_verdict verdict;
    do {
        verdict = write_list(fixture);
        assert_in_range(fixture->answers.size, 0, 32768 + ANSWER_NDJSON_LINE_MAX);
        while (fixture->answers.size > 0) {
            char byte;
            byte_fifo_take(&fixture->answers, &byte, 1);
            lines += byte == '\n';
        }
        pieces++;
    } while (verdict == SESSION_LIST_MORE);
    assert_int_equal(verdict, SESSION_LIST_DONE);
    assert_int_equal(lines, 2501);
    assert_in_range(pieces, 10, 100);
}

static void closing_in_the_middle_leaves_no_view(void **state)
{
    struct fixture *fixture = *state;
    happen(fixture, SEAM_CONNECTED, 1, 1);
    assert_true(ask(fixture, "a"));
    assert_true(ask(fixture, "b"));
    session_list_close(&fixture->list, &fixture->source);
    assert_null(fixture->directory.views);
    assert_false(session_list_goes_first(&fixture->list, &fixture->source));
}

static void short_of_memory_it_says_so(void **state)
{
    struct fixture *fixture = *state;
    assert_true(ask(fixture, "a"));
    memory_is_short = true;
    assert_int_equal(write_list(fixture), SESSION_LIST_SHORT_OF_MEMORY);
    memory_is_short = false;
    happen(fixture, SEAM_CONNECTED, 1, 1);
    assert_int_equal(write_list(fixture), SESSION_LIST_DONE);
    expect_answers(fixture, "a=0 ");
    let_one_event_go(fixture);
    byte_fifo_close(&fixture->answers);
    assert_true(ask(fixture, "b"));
    memory_is_short = true;
    assert_int_equal(write_list(fixture), SESSION_LIST_SHORT_OF_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_of_nothing_is_a_count, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_waits_for_the_events_before_it, setup, teardown),
        cmocka_unit_test_setup_teardown(events_after_the_command_are_not_in_the_list, setup, teardown),
        cmocka_unit_test_setup_teardown(dropped_events_hold_no_list_up, setup, teardown),
        cmocka_unit_test_setup_teardown(devices_of_other_backends_are_not_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(several_lists_are_answered_in_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(sixteen_lists_may_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_list_comes_in_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_in_the_middle_leaves_no_view, setup, teardown),
        cmocka_unit_test_setup_teardown(short_of_memory_it_says_so, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
