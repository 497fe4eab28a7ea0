/* The table of counters, against a list kept in order of use. */
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
    struct limiter_table *table = limiter_table_open(capacity, hash_key);
    assert_non_null(table);
    assert_int_equal(limiter_table_capacity(table), capacity);
    return table;
}

static struct limiter_entry *use(struct limiter_table *table, uint32_t number, uint64_t now)
{
    struct limiter_key key = key_of(number);
    return limiter_table_use(table, &key, now);
}

static struct limiter_entry *find(struct limiter_table *table, uint32_t number)
{
    struct limiter_key key = key_of(number);
    return limiter_table_find(table, &key);
}

static void makes_an_entry_once(void **state)
{
    (void)state;
    struct limiter_table *table = opened(4);
    assert_null(find(table, 7));
    struct limiter_entry *entry = use(table, 7, 0);
    assert_non_null(entry);
    assert_int_equal(entry->sessions + entry->handshakes + entry->failures, 0);
    entry->failures = 3;
    assert_ptr_equal(use(table, 7, 0), entry);
    assert_ptr_equal(find(table, 7), entry);
    assert_int_equal(entry->failures, 3);
    assert_int_equal(limiter_table_count(table), 1);
    limiter_table_drop(table, entry);
    assert_null(find(table, 7));
    assert_int_equal(limiter_table_count(table), 0);
    entry = use(table, 7, 0);
    assert_int_equal(entry->failures, 0);
    limiter_table_close(table);
}

static void gives_up_what_was_not_used_for_longest(void **state)
{
    (void)state;
    struct limiter_table *table = opened(3);
    for (uint32_t number = 1; number <= 3; number++)
        assert_non_null(use(table, number, 0));
    assert_non_null(use(table, 1, 0));
    assert_non_null(find(table, 2)); /* looking is no use */
    assert_non_null(use(table, 4, 0));
    assert_null(find(table, 2));
    assert_non_null(use(table, 5, 0));
    assert_null(find(table, 3));
    assert_non_null(find(table, 1));
    assert_int_equal(limiter_table_count(table), 3);
    limiter_table_close(table);
}

static void never_gives_up_what_is_held(void **state)
{
    (void)state;
    struct limiter_table *table = opened(3);
    use(table, 1, 0)->sessions = 1;
    use(table, 2, 0)->handshakes = 1;
    use(table, 3, 0)->locked_until = 100;
    assert_null(use(table, 4, 99));
    assert_non_null(find(table, 1));
    assert_non_null(find(table, 2));
    assert_non_null(find(table, 3));
    assert_non_null(use(table, 4, 100)); /* the lockout is over */
    assert_null(find(table, 3));
    find(table, 4)->failures = 9; /* a count alone holds nothing */
    assert_non_null(use(table, 5, 100));
    assert_null(find(table, 4));
    limiter_table_close(table);
}

/* However many are held: a search stops after a while, and the next goes on where it stopped. */
static void finds_a_free_one_behind_many_that_are_held(void **state)
{
    (void)state;
    struct limiter_table *table = opened(1000);
    for (uint32_t number = 0; number < 1000; number++)
        use(table, number, 0)->sessions = number == 999 ? 0 : 1;
    unsigned tries = 0;
    while (use(table, 5000, 0) == NULL)
        assert_in_range(++tries, 1, 20);
    assert_null(find(table, 999));
    for (uint32_t number = 0; number < 999; number++)
        assert_non_null(find(table, number));
    limiter_table_close(table);
}

struct visit {
    uint32_t expected[64];
    size_t count;
};

static void expect_next(void *context, const struct limiter_entry *entry)
{
    struct visit *visit = context;
    assert_int_equal(number_of(entry), visit->expected[visit->count++]);
}

static void visits_the_latest_first(void **state)
{
    (void)state;
    struct limiter_table *table = opened(8);
    struct visit nobody = {{0}, 0};
    limiter_table_each(table, expect_next, &nobody);
    assert_int_equal(nobody.count, 0);
    for (uint32_t number = 1; number <= 5; number++)
        assert_non_null(use(table, number, 0));
    assert_non_null(use(table, 2, 0));
    limiter_table_drop(table, find(table, 4));
    struct visit visit = {{2, 5, 3, 1}, 0};
    limiter_table_each(table, expect_next, &visit);
    assert_int_equal(visit.count, 4);
    limiter_table_close(table);
}

/* The model: numbers, the latest used first. */
struct model {
    uint32_t numbers[48];
    bool held[48];
    size_t count;
    size_t capacity;
};

static void model_remove(struct model *model, size_t index)
{
    model->count--;
    memmove(&model->numbers[index], &model->numbers[index + 1], (model->count - index) * sizeof model->numbers[0]);
    memmove(&model->held[index], &model->held[index + 1], (model->count - index) * sizeof model->held[0]);
}

static size_t model_find(const struct model *model, uint32_t number)
{
    size_t index = 0;
    while (index < model->count && model->numbers[index] != number)
        index++;
    return index;
}

static void model_to_front(struct model *model, uint32_t number, bool held)
{
    memmove(&model->numbers[1], &model->numbers[0], model->count * sizeof model->numbers[0]);
    memmove(&model->held[1], &model->held[0], model->count * sizeof model->held[0]);
    model->numbers[0] = number;
    model->held[0] = held;
    model->count++;
}

#define LOOKED_AT 64 /* entries, at most, in one search */

/* Held ones at the end move to the front until one is found that is not. */
static bool model_evict(struct model *model)
{
    for (unsigned looked_at = 0; looked_at < LOOKED_AT; looked_at++) {
        size_t last = model->count - 1;
        uint32_t number = model->numbers[last];
        bool held = model->held[last];
        model_remove(model, last);
        if (!held)
            return true;
        model_to_front(model, number, held);
    }
    return false;
}

static bool model_use(struct model *model, uint32_t number)
{
    size_t index = model_find(model, number);
    if (index < model->count) {
        bool held = model->held[index];
        model_remove(model, index);
        model_to_front(model, number, held);
        return true;
    }
    if (model->count == model->capacity && !model_evict(model))
        return false;
    model_to_front(model, number, false);
    return true;
}

static uint32_t draw(uint64_t *state, uint32_t limit)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % limit;
}

static void step(struct limiter_table *table, struct model *model, uint64_t *random)
{
    uint32_t number = draw(random, 80);
    struct limiter_entry *entry = find(table, number);
    size_t index = model_find(model, number);
    assert_int_equal(entry != NULL, index < model->count);
    switch (draw(random, 4)) {
    case 0:
        if (entry != NULL) {
            limiter_table_drop(table, entry);
            model_remove(model, index);
        }
        break;
    case 1:
        if (entry != NULL) {
            model->held[index] = draw(random, 2) == 0;
            entry->sessions = model->held[index] ? 1 : 0;
        }
        break;
    default:
        assert_int_equal(use(table, number, 0) != NULL, model_use(model, number));
        break;
    }
}

static void does_what_a_list_would_do(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t random = seed;
        struct model model = {.capacity = 1 + draw(&random, 47)};
        struct limiter_table *table = opened((uint32_t)model.capacity);
        for (unsigned count = 0; count < 2000; count++) {
            step(table, &model, &random);
            assert_int_equal(limiter_table_count(table), model.count);
        }
        struct visit visit = {{0}, 0};
        memcpy(visit.expected, model.numbers, sizeof model.numbers);
        limiter_table_each(table, expect_next, &visit);
        assert_int_equal(visit.count, model.count);
        limiter_table_close(table);
    }
}

static void says_when_memory_is_short(void **state)
{
    (void)state;
    for (failing_call = 1; failing_call <= 3; failing_call++) {
        calls = 0;
        assert_null(limiter_table_open(10, hash_key));
    }
    failing_call = 0;
    limiter_table_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_an_entry_once),         cmocka_unit_test(gives_up_what_was_not_used_for_longest),
        cmocka_unit_test(never_gives_up_what_is_held), cmocka_unit_test(finds_a_free_one_behind_many_that_are_held),
        cmocka_unit_test(visits_the_latest_first),     cmocka_unit_test(does_what_a_list_would_do),
        cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
