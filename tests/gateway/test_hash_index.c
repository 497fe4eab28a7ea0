/* The chained index, against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/hash_index.h"
#include "gateway/random_numbers.h"

#define OBJECTS 500u
#define KEYS 120u

static bool memory_is_short;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_is_short ? NULL : __real_calloc(count, size);
}

struct object {
    unsigned before;
    struct hash_link link;
    bool is_in;
    uint64_t hash;
};

/* Hashes that share buckets, and some that are the same. */
static uint64_t hash_of(uint64_t key)
{
    return key % 3 == 0 ? key << 40 : key * UINT64_C(0x9E3779B97F4A7C15);
}

static size_t count_with(const struct object *objects, uint64_t hash)
{
    size_t count = 0;
    for (unsigned index = 0; index < OBJECTS; index++)
        count += objects[index].is_in && objects[index].hash == hash;
    return count;
}

static void expect_the_same(const struct hash_index *index, const struct object *objects)
{
    size_t in_all = 0;
    for (uint64_t key = 0; key < KEYS; key++) {
        uint64_t hash = hash_of(key);
        size_t found = 0;
        for (struct hash_link *link = hash_index_first(index, hash); link != NULL; link = hash_index_next(link)) {
            const struct object *object = HASH_INDEX_OBJECT(link, struct object, link);
            assert_true(object->is_in);
            assert_int_equal(object->hash, hash);
            assert_ptr_equal(*link->from, link); /* what takes it out again without a walk */
            found++;
        }
        assert_int_equal(found, count_with(objects, hash));
        in_all += found;
    }
    assert_int_equal(index->count, in_all);
}

static void churn(uint64_t seed)
{
    struct random_numbers numbers = {seed};
    struct hash_index index;
    struct object *objects = __real_calloc(OBJECTS, sizeof *objects);
    assert_non_null(objects);
    assert_int_equal(hash_index_open(&index), HASH_INDEX_OPEN);
    for (unsigned step = 0; step < 3000; step++) {
        memory_is_short = random_chance(&numbers, 300);
        struct object *object = &objects[random_below(&numbers, OBJECTS)];
        if (object->is_in) {
            hash_index_remove(&index, &object->link);
            object->is_in = false;
        } else {
            object->hash = hash_of(random_below(&numbers, KEYS));
            object->is_in = true;
            hash_index_insert(&index, &object->link, object->hash);
        }
        if (step % 100 == 0)
            expect_the_same(&index, objects);
    }
    memory_is_short = false;
    expect_the_same(&index, objects);
    assert_int_equal(index.mask & (index.mask + 1), 0);
    hash_index_close(&index);
    hash_index_close(&index);
    free(objects);
}

static void finds_what_is_in_it(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++)
        churn(seed);
}

static void keeps_chains_short(void **state)
{
    (void)state;
    static struct object objects[10000];
    struct random_numbers numbers = {5};
    struct hash_index index;
    assert_int_equal(hash_index_open(&index), HASH_INDEX_OPEN);
    for (unsigned number = 0; number < 10000; number++)
        hash_index_insert(&index, &objects[number].link, random_next(&numbers));
    size_t longest = 0;
    for (size_t bucket = 0; bucket <= index.mask; bucket++) {
        size_t length = 0;
        for (const struct hash_link *link = index.buckets[bucket]; link != NULL; link = link->next)
            length++;
        longest = length > longest ? length : longest;
    }
    assert_in_range(longest, 1, 12);
    hash_index_close(&index);
}

static void says_when_memory_is_short(void **state)
{
    (void)state;
    struct hash_index index = {0};
    memory_is_short = true;
    assert_int_equal(hash_index_open(&index), HASH_INDEX_NO_MEMORY);
    memory_is_short = false;
    hash_index_close(&index);
    assert_null(index.buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_in_it),
        cmocka_unit_test(keeps_chains_short),
        cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
