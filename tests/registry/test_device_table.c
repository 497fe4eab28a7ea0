#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/start.h"
#include "registry/device_table.h"
#include "registry/settings.h"

#define MANY 100000u

static const uint8_t hash_key[CRYPTO_SIPHASH_KEY_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static long calls_until_failure = -1; /* -1: allocations succeed */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    if (calls_until_failure == 0) {
        return NULL;
    }
    if (calls_until_failure > 0) {
        calls_until_failure--;
    }
    return __real_calloc(count, size);
}

static void make_id(uint32_t number, uint8_t id[REGISTRY_ID_SIZE])
{
    for (size_t i = 0; i < REGISTRY_ID_SIZE; i++) {
        id[i] = (uint8_t)(i < 4 ? number >> (8 * i) : 0xA0 + i);
    }
}

static void test_empty_table_knows_nobody(void **state)
{
    (void)state;
    struct registry_device_table table;
    assert_true(registry_device_table_open(&table, 0, hash_key));
    uint8_t id[REGISTRY_ID_SIZE] = {0};
    assert_null(registry_device_table_find(&table, id));
    registry_device_table_close(&table);
}

static void test_new_device_has_nothing_given(void **state)
{
    (void)state;
    struct registry_device_table table;
    assert_true(registry_device_table_open(&table, 1, hash_key));
    uint8_t id[REGISTRY_ID_SIZE];
    make_id(7, id);
    struct registry_device *device = registry_device_table_add(&table, id);
    assert_memory_equal(device->id, id, sizeof(id));
    assert_true(device->session_timeout == REGISTRY_SESSION_TIMEOUT_GLOBAL);
    assert_int_equal(device->max_downlink, 0);
    assert_int_equal(device->key_count, 0);
    assert_int_equal(device->revoked, 0);
    assert_int_equal(device->wires, 0);
    assert_int_equal(device->v1_downlink, REGISTRY_V1_DOWNLINK_GLOBAL);
    assert_int_equal(device->cipher, REGISTRY_CIPHER_AUTO);
    registry_device_table_close(&table);
}

static void test_every_device_is_found_and_no_other(void **state)
{
    (void)state;
    struct registry_device_table table;
    assert_true(registry_device_table_open(&table, MANY, hash_key));
    uint8_t id[REGISTRY_ID_SIZE];
    for (uint32_t i = 0; i < MANY; i++) {
        make_id(i, id);
        assert_null(registry_device_table_find(&table, id));
        registry_device_table_add(&table, id)->first_key = i;
    }
    for (uint32_t i = 0; i < MANY; i++) {
        make_id(i, id);
        const struct registry_device *device = registry_device_table_find(&table, id);
        assert_non_null(device);
        assert_int_equal(device->first_key, i);
        make_id(i + MANY, id);
        assert_null(registry_device_table_find(&table, id));
    }
    registry_device_table_close(&table);
}

/* Ids that all meet in one slot under one key must not meet under another. */
static void test_key_decides_where_devices_meet(void **state)
{
    (void)state;
    enum { CROWD = 64, SLOT_MASK = 1023 };
    uint8_t crowd[CROWD][REGISTRY_ID_SIZE];
    size_t found = 0;
    for (uint32_t i = 0; found < CROWD; i++) {
        make_id(i, crowd[found]);
        if ((crypto_siphash(hash_key, crowd[found], REGISTRY_ID_SIZE) & SLOT_MASK) == 5) {
            found++;
        }
    }
    uint8_t other_key[CRYPTO_SIPHASH_KEY_SIZE];
    memcpy(other_key, hash_key, sizeof(other_key));
    other_key[0] ^= 1;
    size_t together = 0;
    for (size_t i = 0; i < CROWD; i++) {
        together += (crypto_siphash(other_key, crowd[i], REGISTRY_ID_SIZE) & SLOT_MASK) == 5;
    }
    assert_true(together < CROWD / 4);

    struct registry_device_table table;
    assert_true(registry_device_table_open(&table, 700, hash_key));
    assert_int_equal(table.slot_mask, SLOT_MASK);
    for (size_t i = 0; i < CROWD; i++) {
        registry_device_table_add(&table, crowd[i])->first_key = (uint32_t)i;
    }
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(registry_device_table_find(&table, crowd[i])->first_key, i);
    }
    registry_device_table_close(&table);
}

static void test_a_quarter_of_the_slots_stays_free(void **state)
{
    (void)state;
    for (uint32_t capacity = 0; capacity < 5000; capacity = capacity * 2 + 1) {
        struct registry_device_table table;
        assert_true(registry_device_table_open(&table, capacity, hash_key));
        uint32_t slots = table.slot_mask + 1;
        assert_int_equal(slots & table.slot_mask, 0);
        assert_true(capacity <= slots / 4 * 3);
        registry_device_table_close(&table);
    }
}

static void test_memory_of_a_device(void **state)
{
    (void)state;
    struct registry_device_table table;
    assert_true(registry_device_table_open(&table, MANY, hash_key));
    assert_in_range(registry_device_table_memory(&table), 1, MANY * 40);
    registry_device_table_close(&table);
}

static void test_short_memory_is_reported(void **state)
{
    (void)state;
    for (long i = 0; i < 2; i++) {
        struct registry_device_table table;
        calls_until_failure = i;
        assert_false(registry_device_table_open(&table, 10, hash_key));
        calls_until_failure = -1;
        registry_device_table_close(&table);
        assert_null(table.devices);
        assert_null(table.slots);
    }
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_table_knows_nobody),
        cmocka_unit_test(test_new_device_has_nothing_given),
        cmocka_unit_test(test_every_device_is_found_and_no_other),
        cmocka_unit_test(test_key_decides_where_devices_meet),
        cmocka_unit_test(test_a_quarter_of_the_slots_stays_free),
        cmocka_unit_test(test_memory_of_a_device),
        cmocka_unit_test(test_short_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
