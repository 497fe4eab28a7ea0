#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "crypto/start.h"
#include "platform/secret_memory.h"
#include "registry/registry.h"
#include "registry/snapshot.h"

#define THREADS 4
#define TURNS 10000

static const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE] = "a boot secret of thirty-two byte";

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

static size_t secret_bytes(void)
{
    return secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes;
}

static void test_last_release_ends_it(void **state)
{
    (void)state;
    /* A first one, so that what the allocator keeps for itself is there already. */
    registry_release(registry_create(1, 1, boot_secret, 3));
    size_t before = secret_bytes();
    struct registry *registry = registry_create(10, REGISTRY_KEYS_PER_BLOCK, boot_secret, 3);
    assert_non_null(registry);
    static const uint8_t psk[32] = "a key that makes a block needed";
    assert_true(registry_keys_add(&registry->keys, psk, sizeof(psk), REGISTRY_NO_EXPIRY));
    assert_true(secret_bytes() > before);
    assert_ptr_equal(registry_retain(registry), registry);
    registry_release(registry);
    assert_true(secret_bytes() > before);
    assert_int_equal(registry_summarise(registry).keys, 1);
    registry_release(registry);
    assert_int_equal(secret_bytes(), before);
}

static void test_release_of_nothing(void **state)
{
    (void)state;
    registry_release(NULL);
}

static void *retain_and_release(void *argument)
{
    struct registry *registry = argument;
    for (int i = 0; i < TURNS; i++) {
        registry_release(registry_retain(registry));
    }
    return NULL;
}

static void test_threads_share_a_registry(void **state)
{
    (void)state;
    struct registry *registry = registry_create(1, 1, boot_secret, 3);
    assert_non_null(registry);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, retain_and_release, registry), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&registry->references), 1);
    registry_release(registry);
}

static void test_summary_counts(void **state)
{
    (void)state;
    struct registry *registry = registry_create(100, 200, boot_secret, 3);
    assert_non_null(registry);
    static const uint8_t id[REGISTRY_ID_SIZE] = {1, 2, 3, 4, 5, 6};
    registry_device_table_add(&registry->devices, id);
    registry->has_master[REGISTRY_MASTER_PREVIOUS] = true;
    registry->revoked = 1;
    registry->weak_keys = 2;
    struct registry_summary summary = registry_summarise(registry);
    assert_int_equal(summary.devices, 1);
    assert_int_equal(summary.keys, 0);
    assert_int_equal(summary.revoked, 1);
    assert_int_equal(summary.weak_keys, 2);
    assert_false(summary.has_default);
    assert_false(summary.has_master_secret);
    assert_true(summary.has_previous_master_secret);
    assert_false(summary.has_development_psk);
    assert_true(summary.memory >= 100 * sizeof(struct registry_device) + 200 * sizeof(int32_t));
    registry_release(registry);
}

static void test_short_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    registry_release(registry_create(1, 1, boot_secret, 3));
    size_t before = secret_bytes();
    struct registry *registry = NULL;
    long failing = 0;
    while (registry == NULL) {
        calls_until_failure = failing;
        registry = registry_create(10, 10, boot_secret, 3);
        calls_until_failure = -1;
        assert_true(registry != NULL || secret_bytes() == before);
        failing++;
        assert_true(failing < 100);
    }
    assert_true(failing > 5);
    registry_release(registry);
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_release_ends_it),
        cmocka_unit_test(test_release_of_nothing),
        cmocka_unit_test(test_threads_share_a_registry),
        cmocka_unit_test(test_summary_counts),
        cmocka_unit_test(test_short_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
