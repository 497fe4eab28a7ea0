#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/random_numbers.h"
#include "gateway/stranger_queue.h"

static bool is_short;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return is_short ? NULL : __real_calloc(count, size);
}

static void put(struct stranger_queue *queue, uint32_t number, uint32_t chance)
{
    uint8_t bytes[STRANGER_SIZE_MAX] = {0};
    struct shard_path path = {.peer.port = (uint16_t)number};
    memcpy(bytes, &number, sizeof number);
    stranger_queue_put(queue, &path, bytes, sizeof number + number % 50, number, chance);
}

/* Which one comes next; all of it has to be of that one. */
static uint32_t take(struct stranger_queue *queue)
{
    struct stranger taken;
    uint32_t number;
    assert_true(stranger_queue_take(queue, &taken));
    memcpy(&number, taken.bytes, sizeof number);
    assert_int_equal(taken.path.peer.port, (uint16_t)number);
    assert_int_equal(taken.came, number);
    assert_int_equal(taken.size, sizeof number + number % 50);
    return number;
}

static void expect_empty(struct stranger_queue *queue)
{
    struct stranger taken;
    assert_int_equal(queue->count, 0);
    assert_false(stranger_queue_take(queue, &taken));
}

static void gives_back_in_order(void **state)
{
    (void)state;
    struct stranger_queue queue = {0};
    struct random_numbers numbers = {3};
    uint32_t in = 0;
    uint32_t out = 0;
    assert_true(stranger_queue_open(&queue));
    expect_empty(&queue);
    for (unsigned round = 0; round < 2000; round++) {
        for (uint64_t left = random_below(&numbers, 40); left > 0; left--)
            put(&queue, in++, 0);
        for (uint64_t left = random_below(&numbers, 40); left > 0 && out < in; left--)
            assert_int_equal(take(&queue), out++);
        if (in - out > STRANGER_QUEUE_PLACES / 2) {
            while (out < in)
                assert_int_equal(take(&queue), out++);
        }
        assert_int_equal(queue.count, in - out);
    }
    while (out < in)
        assert_int_equal(take(&queue), out++);
    expect_empty(&queue);
    stranger_queue_close(&queue);
}

/* What was put out is missing, everything else is there in its order, and the newcomer is the last. */
static void puts_one_out_when_it_is_full(void **state)
{
    (void)state;
    struct stranger_queue queue = {0};
    struct random_numbers numbers = {4};
    assert_true(stranger_queue_open(&queue));
    uint32_t in = 0;
    while (in < STRANGER_QUEUE_PLACES) {
        assert_false(stranger_queue_is_full(&queue));
        put(&queue, in++, 0);
    }
    for (; in < 3 * STRANGER_QUEUE_PLACES; in++) {
        assert_true(stranger_queue_is_full(&queue));
        put(&queue, in, (uint32_t)random_next(&numbers));
        assert_int_equal(queue.count, STRANGER_QUEUE_PLACES);
    }
    uint32_t last = take(&queue);
    uint32_t early = last < STRANGER_QUEUE_PLACES ? 1 : 0;
    while (queue.count > 0) {
        uint32_t next = take(&queue);
        assert_true(next > last);
        last = next;
        early += next < STRANGER_QUEUE_PLACES ? 1 : 0;
    }
    assert_int_equal(last, in - 1);
    /* Each of the first ones had 2 × 4096 chances of one in 4096 to go: e^-2 of them are there, 554; this is ± 5 σ. */
    assert_in_range(early, 450, 660);
    stranger_queue_close(&queue);
}

static void the_first_and_the_last_can_be_put_out(void **state)
{
    (void)state;
    const uint32_t victims[] = {0, STRANGER_QUEUE_PLACES - 1};
    for (unsigned victim = 0; victim < 2; victim++) {
        struct stranger_queue queue = {0};
        assert_true(stranger_queue_open(&queue));
        for (uint32_t number = 0; number < STRANGER_QUEUE_PLACES; number++)
            put(&queue, number, 0);
        put(&queue, STRANGER_QUEUE_PLACES, victims[victim]);
        for (uint32_t number = 0; number <= STRANGER_QUEUE_PLACES; number++) {
            if (number != victims[victim])
                assert_int_equal(take(&queue), number);
        }
        expect_empty(&queue);
        stranger_queue_close(&queue);
    }
}

static void does_not_open_without_memory(void **state)
{
    (void)state;
    struct stranger_queue queue = {0};
    is_short = true;
    bool opened = stranger_queue_open(&queue);
    is_short = false;
    assert_false(opened);
    stranger_queue_close(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_in_order),
        cmocka_unit_test(puts_one_out_when_it_is_full),
        cmocka_unit_test(the_first_and_the_last_can_be_put_out),
        cmocka_unit_test(does_not_open_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
