/* The heap of deadlines, against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/random_numbers.h"
#include "platform/deadlines.h"

#define OBJECTS 300u
#define STEPS 20000u

static bool memory_is_short;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
    return memory_is_short ? NULL : __real_realloc(memory, size);
}

static uint64_t first_due(const struct deadline *objects, const bool *exists)
{
    uint64_t first = DEADLINE_NEVER;
    for (unsigned index = 0; index < OBJECTS; index++) {
        if (exists[index] && objects[index].due < first)
            first = objects[index].due;
    }
    return first;
}

static void expect_first(const struct deadlines *deadlines, const struct deadline *objects, const bool *exists)
{
    uint64_t due = first_due(objects, exists);
    const struct deadline *first = deadlines_first(deadlines);
    if (due == DEADLINE_NEVER) {
        assert_null(first);
        return;
    }
    assert_non_null(first);
    assert_int_equal(first->due, due);
    assert_true(exists[first - objects]);
}

/* What each object believes is what is in the heap. */
static void expect_whole(const struct deadlines *deadlines, const struct deadline *objects, const bool *exists)
{
    size_t in_heap = 0;
    size_t alive = 0;
    for (unsigned index = 0; index < OBJECTS; index++) {
        alive += exists[index];
        if (exists[index] && objects[index].due != DEADLINE_NEVER) {
            in_heap++;
            assert_ptr_equal(deadlines->heap[objects[index].position], &objects[index]);
        }
    }
    assert_int_equal(deadlines->count, in_heap);
    assert_int_equal(deadlines->reserved, alive);
}

static void step(struct deadlines *deadlines, struct random_numbers *numbers, struct deadline *objects, bool *exists)
{
    unsigned index = (unsigned)random_below(numbers, OBJECTS);
    if (!exists[index]) {
        assert_true(deadlines_reserve(deadlines));
        deadline_init(&objects[index], (uint8_t)index);
        exists[index] = true;
    } else if (random_chance(numbers, 100)) {
        deadlines_set(deadlines, &objects[index], DEADLINE_NEVER);
        deadlines_release(deadlines);
        exists[index] = false;
    } else {
        /* Few different times, so that many are due at once. */
        uint64_t due = random_chance(numbers, 200) ? DEADLINE_NEVER : random_below(numbers, 50);
        deadlines_set(deadlines, &objects[index], due);
        assert_int_equal(objects[index].due, due);
    }
}

static void finds_the_first_whatever_is_set(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct deadlines deadlines = {0};
        struct random_numbers numbers = {seed};
        static struct deadline objects[OBJECTS];
        bool exists[OBJECTS] = {false};
        for (unsigned count = 0; count < STEPS / 20; count++) {
            step(&deadlines, &numbers, objects, exists);
            expect_first(&deadlines, objects, exists);
        }
        expect_whole(&deadlines, objects, exists);
        deadlines_close(&deadlines);
    }
}

static void gives_them_in_order(void **state)
{
    (void)state;
    struct deadlines deadlines = {0};
    struct random_numbers numbers = {99};
    static struct deadline objects[OBJECTS];
    for (unsigned index = 0; index < OBJECTS; index++) {
        assert_true(deadlines_reserve(&deadlines));
        deadline_init(&objects[index], 3);
        deadlines_set(&deadlines, &objects[index], random_below(&numbers, 1000));
    }
    uint64_t last = 0;
    for (unsigned count = 0; count < OBJECTS; count++) {
        struct deadline *first = deadlines_first(&deadlines);
        assert_non_null(first);
        assert_true(first->due >= last);
        assert_int_equal(first->kind, 3);
        last = first->due;
        deadlines_set(&deadlines, first, DEADLINE_NEVER);
    }
    assert_null(deadlines_first(&deadlines));
    deadlines_close(&deadlines);
}

/* A place that was reserved is there when it is needed; only reserving can fail. */
static void says_when_memory_is_short(void **state)
{
    (void)state;
    struct deadlines deadlines = {0};
    memory_is_short = true;
    assert_false(deadlines_reserve(&deadlines));
    memory_is_short = false;
    size_t reserved = 0;
    static struct deadline objects[1000];
    while (reserved < 64) {
        assert_true(deadlines_reserve(&deadlines));
        deadline_init(&objects[reserved++], 0);
    }
    memory_is_short = true;
    while (reserved < 1000 && deadlines_reserve(&deadlines))
        deadline_init(&objects[reserved++], 0);
    assert_in_range(reserved, 64, 999);
    for (size_t index = 0; index < reserved; index++)
        deadlines_set(&deadlines, &objects[index], reserved - index);
    assert_ptr_equal(deadlines_first(&deadlines), &objects[reserved - 1]);
    memory_is_short = false;
    deadlines_close(&deadlines);
    assert_null(deadlines_first(&deadlines));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_first_whatever_is_set),
        cmocka_unit_test(gives_them_in_order),
        cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
