/* The table of devices, against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/device_table.h"
#include "gateway/random_numbers.h"

#define OBJECTS 2000u
#define STEPS 50000u

static const uint8_t KEY[DEVICE_TABLE_KEY_SIZE] = {16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1};

struct object {
    uint8_t device[6];
    bool is_in;
};

static struct object objects[OBJECTS];
static bool memory_is_short;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_is_short ? NULL : __real_calloc(count, size);
}

static int setup(void **state)
{
    (void)state;
    memory_is_short = false;
    for (unsigned i = 0; i < OBJECTS; i++)
        objects[i] = (struct object){.device = {0xde, 0xad, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
    return 0;
}

static void insert(struct device_table *table, struct object *object)
{
    assert_true(device_table_reserve(table));
    device_table_insert(table, object);
    object->is_in = true;
}

static void expect_all(const struct device_table *table)
{
    size_t count = 0;
    for (unsigned i = 0; i < OBJECTS; i++) {
        assert_ptr_equal(device_table_find(table, objects[i].device), objects[i].is_in ? &objects[i] : NULL);
        count += objects[i].is_in;
    }
    assert_int_equal(table->count, count);
}

static void it_knows_what_came_and_did_not_go(void **state)
{
    (void)state;
    struct random_numbers numbers = {.state = 7};
    struct device_table table;
    assert_true(device_table_open(&table, KEY));
    for (unsigned step = 0; step < STEPS; step++) {
        struct object *object = &objects[random_below(&numbers, OBJECTS)];
        if (object->is_in) {
            device_table_remove(&table, object->device);
            object->is_in = false;
        } else {
            insert(&table, object);
        }
        if (step % 1000 == 0)
            expect_all(&table);
    }
    expect_all(&table);
    device_table_close(&table);
}

static void says_when_memory_is_short(void **state)
{
    (void)state;
    struct device_table table;
    memory_is_short = true;
    assert_false(device_table_open(&table, KEY));
    memory_is_short = false;
    assert_true(device_table_open(&table, KEY));
    memory_is_short = true;
    unsigned count = 0;
    while (device_table_reserve(&table)) {
        insert(&table, &objects[count++]);
        assert_true(count < OBJECTS);
    }
    assert_true(count > 0);
    expect_all(&table);
    memory_is_short = false;
    while (count < OBJECTS)
        insert(&table, &objects[count++]);
    expect_all(&table);
    device_table_close(&table);
    device_table_close(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_knows_what_came_and_did_not_go, setup),
        cmocka_unit_test_setup(says_when_memory_is_short, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
