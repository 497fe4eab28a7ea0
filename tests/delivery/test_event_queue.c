#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/event_queue.h"

#define LIMIT 65536

static bool memory_is_short;
static size_t bytes_alive;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    if (memory_is_short)
        return NULL;
    bytes_alive += size;
    return __real_malloc(size);
}

static int setup(void **state)
{
    struct event_queue *queue = __real_malloc(sizeof *queue);
    assert_non_null(queue);
    memory_is_short = false;
    bytes_alive = 0;
    event_queue_open(queue, LIMIT);
    *state = queue;
    return 0;
}

static int teardown(void **state)
{
    memory_is_short = false;
    event_queue_close(*state);
    free(*state);
    return 0;
}

/* Event n has the time n, and a payload of n's own length and bytes. */
static uint16_t size_of(int64_t number)
{
    return (uint16_t)(number * 101 % (SEAM_PAYLOAD_MAX + 1));
}

static bool push(struct event_queue *queue, int64_t number)
{
    uint8_t payload[SEAM_PAYLOAD_MAX];
    memset(payload, (int)(number % 251), sizeof payload);
    struct seam_event event = {.kind = SEAM_MESSAGE, .backends = 1, .time = number, .size = size_of(number)};
    return event_queue_push(queue, &event, payload);
}

static void expect_event(struct event_queue *queue, uint64_t id, int64_t number)
{
    struct queued_event taken;
    assert_int_equal(event_queue_take(queue, &taken), EVENT_QUEUE_EVENT);
    assert_int_equal(taken.id, id);
    assert_int_equal(taken.event.time, number);
    assert_int_equal(taken.event.size, size_of(number));
    for (size_t i = 0; i < taken.event.size; i++)
        assert_int_equal(taken.payload[i], number % 251);
}

static void expect_lost(struct event_queue *queue, uint64_t id, uint64_t count, uint64_t first, uint64_t last,
                        int64_t time)
{
    struct queued_event taken;
    assert_int_equal(event_queue_take(queue, &taken), EVENT_QUEUE_LOST);
    assert_int_equal(taken.id, id);
    assert_int_equal(taken.lost.count, count);
    assert_int_equal(taken.lost.first, first);
    assert_int_equal(taken.lost.last, last);
    assert_int_equal(taken.lost.time, time);
}

static void expect_empty(struct event_queue *queue)
{
    struct queued_event taken;
    assert_true(event_queue_is_empty(queue));
    assert_int_equal(event_queue_take(queue, &taken), EVENT_QUEUE_EMPTY);
    assert_int_equal(queue->events, 0);
    assert_int_equal(queue->cost, 0);
    assert_int_equal(event_queue_left(queue), queue->pushed);
}

static void events_leave_in_order_with_ids_from_one(void **state)
{
    struct event_queue *queue = *state;
    expect_empty(queue);
    uint64_t cost = 0;
    for (int64_t number = 1; number <= 500; number++) {
        assert_true(push(queue, number));
        cost += 256 + size_of(number);
    }
    assert_int_equal(queue->events, 500);
    assert_int_equal(queue->cost, cost);
    for (int64_t number = 1; number <= 500; number++)
        expect_event(queue, (uint64_t)number, number);
    expect_empty(queue);
    assert_true(push(queue, 9));
    expect_event(queue, 501, 9);
}

/* The example of the interface: 5 to 8 are lost, and `lost` itself is 9. */
static void dropped_events_are_told_by_one_lost_in_their_place(void **state)
{
    struct event_queue *queue = *state;
    for (int64_t number = 1; number <= 4; number++) {
        assert_true(push(queue, number));
        expect_event(queue, (uint64_t)number, number);
    }
    for (int64_t number = 5; number <= 9; number++)
        assert_true(push(queue, number));
    for (int64_t number = 5; number <= 8; number++)
        assert_int_equal(event_queue_drop_oldest(queue), 256 + size_of(number));
    assert_int_equal(queue->events, 1);
    assert_int_equal(queue->next_id, 5);

    expect_lost(queue, 9, 4, 5, 8, 8);
    expect_event(queue, 10, 9);
    expect_empty(queue);
}

static void a_loss_that_was_told_is_not_told_again(void **state)
{
    struct event_queue *queue = *state;
    for (int64_t number = 1; number <= 4; number++)
        assert_true(push(queue, number));
    (void)event_queue_drop_oldest(queue);
    expect_lost(queue, 2, 1, 1, 1, 1);
    (void)event_queue_drop_oldest(queue);
    (void)event_queue_drop_oldest(queue);
    expect_lost(queue, 5, 2, 3, 4, 3);
    expect_event(queue, 6, 4);
    expect_empty(queue);
}

static void everything_dropped_leaves_the_lost_only(void **state)
{
    struct event_queue *queue = *state;
    assert_true(push(queue, 1));
    assert_true(push(queue, 2));
    (void)event_queue_drop_oldest(queue);
    (void)event_queue_drop_oldest(queue);
    assert_int_equal(queue->events, 0);
    assert_false(event_queue_is_empty(queue));
    expect_lost(queue, 3, 2, 1, 2, 2);
    expect_empty(queue);
}

static void push_all_of_a_chunk(struct event_queue *queue, int64_t *number)
{
    memory_is_short = true;
    for (;;) {
        (*number)++;
        if (!push(queue, *number))
            break;
    }
    memory_is_short = false;
}

static void what_finds_no_memory_is_lost_where_it_is_missing(void **state)
{
    struct event_queue *queue = *state;
    int64_t number = 1;
    assert_true(push(queue, number));
    push_all_of_a_chunk(queue, &number); /* `number` is lost */
    memory_is_short = true;
    while (push(queue, number + 1)) /* so is the one that does not fit any more */
        number++;
    memory_is_short = false;
    int64_t lost_last = number + 1;
    uint64_t lost_count = queue->newest.count;
    assert_in_range(lost_count, 1, 2);
    int64_t kept = (int64_t)queue->events;
    assert_int_equal(event_queue_left(queue), 0);

    assert_true(push(queue, 700));
    assert_true(push(queue, 701));
    assert_int_equal(queue->newest.count, 0);

    struct queued_event taken;
    for (int64_t i = 0; i < kept; i++)
        assert_int_equal(event_queue_take(queue, &taken), EVENT_QUEUE_EVENT);
    uint64_t next = (uint64_t)kept + 1;
    expect_lost(queue, next + lost_count, lost_count, next, next + lost_count - 1, lost_last);
    expect_event(queue, next + lost_count + 1, 700);
    expect_event(queue, next + lost_count + 2, 701);
    expect_empty(queue);
}

static void without_any_memory_everything_is_one_loss(void **state)
{
    struct event_queue *queue = *state;
    memory_is_short = true;
    for (int64_t number = 1; number <= 7; number++)
        assert_false(push(queue, number));
    assert_int_equal(queue->events, 0);
    assert_int_equal(event_queue_left(queue), 7);
    expect_lost(queue, 8, 7, 1, 7, 7);
    expect_empty(queue);
}

static void a_loss_at_the_end_is_told_when_the_rest_has_left(void **state)
{
    struct event_queue *queue = *state;
    int64_t number = 0;
    assert_true(push(queue, 0));
    push_all_of_a_chunk(queue, &number);
    uint64_t kept = queue->events;
    for (uint64_t i = 0; i < kept; i++)
        (void)event_queue_drop_oldest(queue);
    /* The losses at both ends meet and are one. */
    expect_lost(queue, kept + 2, kept + 1, 1, kept + 1, number);
    expect_empty(queue);
}

static void what_has_left_is_counted_by_arrival(void **state)
{
    struct event_queue *queue = *state;
    for (int64_t number = 1; number <= 3; number++)
        assert_true(push(queue, number));
    uint64_t mark = queue->pushed;
    assert_true(push(queue, 4));
    expect_event(queue, 1, 1);
    (void)event_queue_drop_oldest(queue);
    assert_int_equal(event_queue_left(queue), 2);
    expect_lost(queue, 3, 1, 2, 2, 2);
    assert_true(event_queue_left(queue) < mark);
    expect_event(queue, 4, 3);
    assert_int_equal(event_queue_left(queue), mark);
}

static void memory_stays_below_the_cost_and_three_chunks(void **state)
{
    struct event_queue *queue = *state;
    for (int64_t number = 1; queue->cost + 2064 <= LIMIT; number++)
        assert_true(push(queue, number));
    assert_in_range(bytes_alive, 1, LIMIT + 3 * LIMIT / 8);
}

struct model_event {
    int64_t number;
    bool lost;
};

/* Random pushes, takes, drops and failures, beside a list of what has to come out. */
static void random_operations_agree_with_a_list(void **state)
{
    struct event_queue *queue = *state;
    static struct model_event model[40000];
    size_t first = 0;
    size_t end = 0;
    uint64_t id = 1;
    uint64_t random = 88172645463325252u;
    for (int step = 0; step < 60000; step++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        unsigned choice = (unsigned)(random >> 20) % 16;
        memory_is_short = (random >> 40) % 8 == 0;
        if (choice < 7 && end < 40000) {
            bool kept = push(queue, (int64_t)end);
            model[end] = (struct model_event){.number = (int64_t)end, .lost = !kept};
            end++;
        } else if (choice < 9 && queue->events > 0) {
            (void)event_queue_drop_oldest(queue);
            size_t oldest = first;
            while (model[oldest].lost)
                oldest++;
            model[oldest].lost = true;
        } else if (first < end) {
            uint64_t count = 0;
            while (first + count < end && model[first + count].lost)
                count++;
            if (count > 0) {
                expect_lost(queue, id + count, count, id, id + count - 1, model[first + count - 1].number);
                id += count + 1;
                first += count;
            } else {
                expect_event(queue, id, model[first].number);
                id++;
                first++;
            }
        } else {
            expect_empty(queue);
        }
    }
    assert_true(id > 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_leave_in_order_with_ids_from_one, setup, teardown),
        cmocka_unit_test_setup_teardown(dropped_events_are_told_by_one_lost_in_their_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loss_that_was_told_is_not_told_again, setup, teardown),
        cmocka_unit_test_setup_teardown(everything_dropped_leaves_the_lost_only, setup, teardown),
        cmocka_unit_test_setup_teardown(what_finds_no_memory_is_lost_where_it_is_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(without_any_memory_everything_is_one_loss, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loss_at_the_end_is_told_when_the_rest_has_left, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_left_is_counted_by_arrival, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_stays_below_the_cost_and_three_chunks, setup, teardown),
        cmocka_unit_test_setup_teardown(random_operations_agree_with_a_list, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
