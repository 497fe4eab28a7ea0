/* The table by key, against two lists: of those that may go, in order of use, and of those that are held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admission/limiter_table.h"

static const uint8_t hash_key[16] = "a key of sixteen";

static unsigned calls;
static unsigned failing_call;

struct counter {
    struct limiter_entry entry;
    uint64_t count;
};

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    calls++;
    return calls == failing_call ? NULL : __real_calloc(count, size);
}

static struct limiter_key key_of(uint32_t number)
{
    struct limiter_key key = {{0}};
    memcpy(key.bytes, &number, sizeof number);
    key.bytes[LIMITER_KEY_SIZE - 1] = (uint8_t)(number % 2);
    return key;
}

static uint32_t number_of(const struct limiter_entry *entry)
{
    uint32_t number;
    memcpy(&number, entry->key.bytes, sizeof number);
    return number;
}

static struct limiter_table *opened(uint32_t capacity)
{
    struct limiter_table *table = limiter_table_open(capacity, sizeof(struct counter), hash_key);
    assert_non_null(table);
    assert_int_equal(limiter_table_capacity(table), capacity);
    return table;
}

static struct counter *use(struct limiter_table *table, uint32_t number)
{
    struct limiter_key key = key_of(number);
    return limiter_table_use(table, &key);
}

static struct counter *find(struct limiter_table *table, uint32_t number)
{
    struct limiter_key key = key_of(number);
    return limiter_table_find(table, &key);
}

static void hold(struct limiter_table *table, uint32_t number)
{
    limiter_table_hold(table, &find(table, number)->entry);
}

static void let_go(struct limiter_table *table, uint32_t number)
{
    limiter_table_let_go(table, &find(table, number)->entry);
}

static void makes_an_entry_once(void **state)
{
    (void)state;
    struct limiter_table *table = opened(4);
    assert_null(find(table, 7));
    struct counter *counter = use(table, 7);
    assert_non_null(counter);
    assert_int_equal(counter->count, 0);
    counter->count = 3;
    assert_ptr_equal(use(table, 7), counter);
    assert_ptr_equal(find(table, 7), counter);
    assert_int_equal(counter->count, 3);
    assert_int_equal(limiter_table_count(table), 1);
    limiter_table_drop(table, &counter->entry);
    assert_null(find(table, 7));
    assert_int_equal(limiter_table_count(table), 0);
    counter = use(table, 7);
    assert_int_equal(counter->count, 0);
    limiter_table_close(table);
}

static void gives_up_what_was_not_used_for_longest(void **state)
{
    (void)state;
    struct limiter_table *table = opened(3);
    for (uint32_t number = 1; number <= 3; number++)
        assert_non_null(use(table, number));
    assert_non_null(use(table, 1));
    assert_non_null(find(table, 2)); /* looking is no use */
    assert_non_null(use(table, 4));
    assert_null(find(table, 2));
    assert_non_null(use(table, 5));
    assert_null(find(table, 3));
    assert_non_null(find(table, 1));
    assert_int_equal(limiter_table_count(table), 3);
    limiter_table_close(table);
}

static void never_gives_up_what_is_held(void **state)
{
    (void)state;
    struct limiter_table *table = opened(3);
    for (uint32_t number = 1; number <= 3; number++) {
        assert_non_null(use(table, number));
        hold(table, number);
    }
    assert_null(use(table, 4));
    assert_non_null(use(table, 1)); /* what is there is still found */
    for (uint32_t number = 1; number <= 3; number++)
        assert_non_null(find(table, number));
    assert_int_equal(limiter_table_count(table), 3);
    let_go(table, 3);
    assert_non_null(use(table, 4));
    assert_null(find(table, 3));
    limiter_table_close(table);
}

/* Whatever is let go is of no use any more, so it is the first to go. */
static void gives_up_what_was_let_go_before_all_others(void **state)
{
    (void)state;
    struct limiter_table *table = opened(3);
    for (uint32_t number = 1; number <= 3; number++)
        assert_non_null(use(table, number));
    hold(table, 3);
    let_go(table, 3);
    assert_non_null(use(table, 4));
    assert_null(find(table, 3));
    assert_non_null(find(table, 1));
    /* Also when there was nothing else. */
    hold(table, 1);
    hold(table, 2);
    hold(table, 4);
    let_go(table, 2);
    let_go(table, 1);
    assert_non_null(use(table, 5));
    assert_null(find(table, 1));
    assert_non_null(find(table, 2));
    limiter_table_close(table);
}

/* The hash spreads keys that differ in anything, so the work is that of a bucket however full the table is. */
static void finds_all_in_a_full_table(void **state)
{
    (void)state;
    struct limiter_table *table = opened(1000);
    for (uint32_t number = 0; number < 1000; number++)
        use(table, number)->count = number;
    for (uint32_t number = 0; number < 1000; number++)
        assert_int_equal(find(table, number)->count, number);
    limiter_table_close(table);
}

static void expect_held(const struct limiter_table *table, const uint32_t *numbers, size_t count)
{
    size_t index = 0;
    for (const struct counter *counter = limiter_table_first_held(table); counter != NULL;
         counter = limiter_table_next_held(table, &counter->entry)) {
        assert_true(index < count);
        assert_int_equal(number_of(&counter->entry), numbers[index++]);
    }
    assert_int_equal(index, count);
}

static void names_those_that_are_held_the_first_first(void **state)
{
    (void)state;
    struct limiter_table *table = opened(8);
    expect_held(table, NULL, 0);
    for (uint32_t number = 1; number <= 5; number++) {
        assert_non_null(use(table, number));
        if (number != 4)
            hold(table, number);
    }
    assert_non_null(use(table, 2)); /* using is not holding */
    expect_held(table, (uint32_t[]){1, 2, 3, 5}, 4);
    hold(table, 1); /* once more: now it is the last */
    let_go(table, 3);
    expect_held(table, (uint32_t[]){2, 5, 1}, 3);
    limiter_table_drop(table, &find(table, 5)->entry);
    expect_held(table, (uint32_t[]){2, 1}, 2);
    limiter_table_close(table);
}

/* The model: numbers, the latest first. */
struct model {
    uint32_t free[48];
    size_t free_count;
    uint32_t held[48];
    size_t held_count;
    size_t capacity;
};

static bool model_remove(uint32_t *numbers, size_t *count, uint32_t number)
{
    for (size_t index = 0; index < *count; index++) {
        if (numbers[index] == number) {
            (*count)--;
            memmove(&numbers[index], &numbers[index + 1], (*count - index) * sizeof *numbers);
            return true;
        }
    }
    return false;
}

static void model_to_front(uint32_t *numbers, size_t *count, uint32_t number)
{
    memmove(&numbers[1], &numbers[0], *count * sizeof *numbers);
    numbers[0] = number;
    (*count)++;
}

static bool model_is_held(const struct model *model, uint32_t number)
{
    for (size_t index = 0; index < model->held_count; index++) {
        if (model->held[index] == number)
            return true;
    }
    return false;
}

static bool model_use(struct model *model, uint32_t number)
{
    if (model_is_held(model, number))
        return true;
    if (!model_remove(model->free, &model->free_count, number) &&
        model->free_count + model->held_count == model->capacity) {
        if (model->free_count == 0)
            return false;
        model->free_count--;
    }
    model_to_front(model->free, &model->free_count, number);
    return true;
}

static void model_hold(struct model *model, uint32_t number)
{
    (void)(model_remove(model->free, &model->free_count, number) ||
           model_remove(model->held, &model->held_count, number));
    model_to_front(model->held, &model->held_count, number);
}

static void model_let_go(struct model *model, uint32_t number)
{
    assert_true(model_remove(model->held, &model->held_count, number));
    model->free[model->free_count++] = number;
}

static uint32_t draw(uint64_t *state, uint32_t limit)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % limit;
}

static void step(struct limiter_table *table, struct model *model, uint64_t *random)
{
    uint32_t number = draw(random, 80);
    struct counter *counter = find(table, number);
    switch (counter == NULL ? 3 : draw(random, 5)) {
    case 0:
        limiter_table_drop(table, &counter->entry);
        (void)(model_remove(model->free, &model->free_count, number) ||
               model_remove(model->held, &model->held_count, number));
        break;
    case 1:
        limiter_table_hold(table, &counter->entry);
        model_hold(model, number);
        break;
    case 2:
        if (model_is_held(model, number)) {
            limiter_table_let_go(table, &counter->entry);
            model_let_go(model, number);
        }
        break;
    default:
        assert_int_equal(use(table, number) != NULL, model_use(model, number));
        break;
    }
}

static void compare(struct limiter_table *table, const struct model *model)
{
    assert_int_equal(limiter_table_count(table), model->free_count + model->held_count);
    for (size_t index = 0; index < model->free_count; index++)
        assert_non_null(find(table, model->free[index]));
    uint32_t held[48];
    for (size_t index = 0; index < model->held_count; index++)
        held[index] = model->held[model->held_count - 1 - index];
    expect_held(table, held, model->held_count);
}

static void does_what_two_lists_would_do(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t random = seed;
        struct model model = {.capacity = 1 + draw(&random, 47)};
        struct limiter_table *table = opened((uint32_t)model.capacity);
        for (unsigned count = 0; count < 2000; count++) {
            step(table, &model, &random);
            compare(table, &model);
        }
        limiter_table_close(table);
    }
}

static void says_when_memory_is_short(void **state)
{
    (void)state;
    for (failing_call = 1; failing_call <= 3; failing_call++) {
        calls = 0;
        assert_null(limiter_table_open(10, sizeof(struct counter), hash_key));
    }
    failing_call = 0;
    limiter_table_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_an_entry_once),          cmocka_unit_test(gives_up_what_was_not_used_for_longest),
        cmocka_unit_test(never_gives_up_what_is_held),  cmocka_unit_test(gives_up_what_was_let_go_before_all_others),
        cmocka_unit_test(finds_all_in_a_full_table),    cmocka_unit_test(names_those_that_are_held_the_first_first),
        cmocka_unit_test(does_what_two_lists_would_do), cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
