#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/start.h"
#include "platform/secret_memory.h"
#include "registry/keys.h"

#define SEVERAL_BLOCKS (2 * REGISTRY_KEYS_PER_BLOCK + 7)

static long calls_until_failure = -1; /* -1: allocations succeed */

static bool allocation_fails(void)
{
    if (calls_until_failure == 0) {
        return true;
    }
    if (calls_until_failure > 0) {
        calls_until_failure--;
    }
    return false;
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind);

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind)
{
    return allocation_fails() ? NULL : __real_secret_memory_allocate(size, kind);
}

static void make_psk(uint32_t number, uint8_t psk[32])
{
    memset(psk, 0x5A, 32);
    memcpy(psk, &number, sizeof(number));
}

static void add_many(struct registry_keys *keys, uint32_t count)
{
    uint8_t psk[32];
    for (uint32_t i = 0; i < count; i++) {
        make_psk(i, psk);
        assert_true(registry_keys_add(keys, psk, sizeof(psk), (int32_t)i));
    }
}

static void assert_all_there(const struct registry_keys *keys, uint32_t count)
{
    assert_int_equal(keys->count, count);
    uint8_t psk[32];
    for (uint32_t i = 0; i < count; i++) {
        struct crypto_hmac_key expected;
        make_psk(i, psk);
        crypto_hmac_key_init(&expected, psk, sizeof(psk));
        assert_memory_equal(registry_keys_get(keys, i), &expected, sizeof(expected));
        assert_int_equal(keys->until[i], i);
    }
}

static void test_no_keys(void **state)
{
    (void)state;
    struct registry_keys keys;
    assert_true(registry_keys_open(&keys, 0));
    assert_int_equal(keys.count, 0);
    registry_keys_relocate(&keys);
    registry_keys_close(&keys);
}

static void test_keys_over_several_blocks(void **state)
{
    (void)state;
    struct registry_keys keys;
    assert_true(registry_keys_open(&keys, SEVERAL_BLOCKS));
    add_many(&keys, SEVERAL_BLOCKS);
    assert_all_there(&keys, SEVERAL_BLOCKS);
    registry_keys_close(&keys);
}

static void test_keys_lie_in_secret_memory_and_leave_none_behind(void **state)
{
    (void)state;
    size_t before = secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes;
    struct registry_keys keys;
    assert_true(registry_keys_open(&keys, SEVERAL_BLOCKS));
    add_many(&keys, SEVERAL_BLOCKS);
    size_t during = secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes - before;
    assert_in_range(during, SEVERAL_BLOCKS * 64, 3 * 65536);
    registry_keys_close(&keys);
    assert_int_equal(secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes, before);
}

static void test_relocated_keys_are_the_same(void **state)
{
    (void)state;
    struct registry_keys keys;
    assert_true(registry_keys_open(&keys, SEVERAL_BLOCKS));
    add_many(&keys, SEVERAL_BLOCKS);
    size_t before = secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes;
    registry_keys_relocate(&keys);
    assert_all_there(&keys, SEVERAL_BLOCKS);
    assert_int_equal(secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes, before);
    registry_keys_close(&keys);
}

static void test_relocation_without_memory_keeps_the_keys(void **state)
{
    (void)state;
    struct registry_keys keys;
    assert_true(registry_keys_open(&keys, SEVERAL_BLOCKS));
    add_many(&keys, SEVERAL_BLOCKS);
    for (long i = 0; i < 3; i++) {
        calls_until_failure = i;
        registry_keys_relocate(&keys);
        calls_until_failure = -1;
        assert_all_there(&keys, SEVERAL_BLOCKS);
    }
    registry_keys_close(&keys);
}

static void test_short_memory_is_reported(void **state)
{
    (void)state;
    struct registry_keys keys;
    for (long i = 0; i < 2; i++) {
        calls_until_failure = i;
        assert_false(registry_keys_open(&keys, 1));
        calls_until_failure = -1;
        registry_keys_close(&keys);
    }
    assert_true(registry_keys_open(&keys, SEVERAL_BLOCKS));
    add_many(&keys, REGISTRY_KEYS_PER_BLOCK);
    uint8_t psk[32];
    make_psk(REGISTRY_KEYS_PER_BLOCK, psk);
    calls_until_failure = 0;
    assert_false(registry_keys_add(&keys, psk, sizeof(psk), 0));
    calls_until_failure = -1;
    assert_all_there(&keys, REGISTRY_KEYS_PER_BLOCK);
    registry_keys_close(&keys);
}

static void test_long_psk_is_hashed_as_hmac_has_it(void **state)
{
    (void)state;
    struct registry_keys keys;
    assert_true(registry_keys_open(&keys, 2));
    uint8_t psk[1024];
    memset(psk, 'k', sizeof(psk));
    psk[0] = 'K';
    assert_true(registry_keys_add(&keys, psk, sizeof(psk), REGISTRY_NO_EXPIRY));
    psk[1023] = 'K';
    assert_true(registry_keys_add(&keys, psk, sizeof(psk), REGISTRY_NO_EXPIRY));
    assert_memory_not_equal(registry_keys_get(&keys, 0), registry_keys_get(&keys, 1), 64);
    registry_keys_close(&keys);
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_keys),
        cmocka_unit_test(test_keys_over_several_blocks),
        cmocka_unit_test(test_keys_lie_in_secret_memory_and_leave_none_behind),
        cmocka_unit_test(test_relocated_keys_are_the_same),
        cmocka_unit_test(test_relocation_without_memory_keeps_the_keys),
        cmocka_unit_test(test_short_memory_is_reported),
        cmocka_unit_test(test_long_psk_is_hashed_as_hmac_has_it),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
