/* The pool of random bytes, fed with a counter in place of the kernel's bytes: so each byte can be told from every
 * other one, and it shows which were drawn, handed out and wiped. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "crypto/random.h"
#include "platform/child.h"

#define SECOND UINT64_C(1000000)

static uint32_t refills; /* the bytes of refill n are n */
static bool mapping_fails;
static bool wiping_on_fork_fails;
static void *mapping;
static size_t mapping_size;
static bool mapping_was_wiped; /* when it was given back */

void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);
int __real_madvise(void *address, size_t size, int advice);
int __wrap_madvise(void *address, size_t size, int advice);
void __wrap_randombytes_buf(void *out, size_t size);

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    if (mapping_fails) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    mapping = __real_mmap(address, size, protection, flags, file, offset);
    mapping_size = size;
    return mapping;
}

int __wrap_munmap(void *address, size_t size)
{
    if (address == mapping) {
        mapping_was_wiped = true;
        for (size_t i = 0; i < mapping_size; i++)
            mapping_was_wiped = mapping_was_wiped && ((const uint8_t *)mapping)[i] == 0;
    }
    return __real_munmap(address, size);
}

int __wrap_madvise(void *address, size_t size, int advice)
{
    if (advice == MADV_WIPEONFORK && wiping_on_fork_fails) {
        errno = EINVAL;
        return -1;
    }
    return __real_madvise(address, size, advice);
}

void __wrap_randombytes_buf(void *out, size_t size)
{
    refills++;
    memset(out, (int)refills, size);
}

static int set_up(void **state)
{
    refills = 0;
    *state = crypto_random_pool_open();
    return *state != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    crypto_random_pool_close(*state);
    wiping_on_fork_fails = false;
    return 0;
}

static bool all_are(const uint8_t *bytes, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

/* How many bytes of the pool's memory have a value; its own fields are few and small. */
static size_t count_in_mapping(uint8_t value)
{
    size_t count = 0;
    for (size_t i = 0; i < mapping_size; i++)
        count += ((const uint8_t *)mapping)[i] == value ? 1 : 0;
    return count;
}

static void test_one_fill_serves_4096_bytes(void **state)
{
    uint8_t out[32];
    for (unsigned i = 0; i < CRYPTO_RANDOM_POOL_SIZE / sizeof out; i++) {
        crypto_random_take(*state, SECOND, out, sizeof out);
        assert_true(all_are(out, sizeof out, 1));
    }
    assert_int_equal(refills, 1);
    crypto_random_take(*state, SECOND, out, sizeof out);
    assert_true(all_are(out, sizeof out, 2));
}

/* A rest that does not suffice is thrown away: an item never comes from two fills. */
static void test_a_short_rest_is_not_used(void **state)
{
    uint8_t out[CRYPTO_RANDOM_POOL_SIZE];
    crypto_random_take(*state, 0, out, 4000);
    crypto_random_take(*state, 0, out, 97);
    assert_true(all_are(out, 97, 2));
    crypto_random_take(*state, 0, out, CRYPTO_RANDOM_POOL_SIZE);
    assert_true(all_are(out, CRYPTO_RANDOM_POOL_SIZE, 3));
}

static void test_what_was_handed_out_is_wiped(void **state)
{
    uint8_t out[1000];
    memset(out, 0, sizeof out);
    refills = 0xA0;
    crypto_random_take(*state, 0, out, 1);
    size_t before = count_in_mapping(0xA1);
    assert_true(before >= CRYPTO_RANDOM_POOL_SIZE - 1);
    crypto_random_take(*state, 0, out, sizeof out);
    assert_int_equal(count_in_mapping(0xA1), before - sizeof out);
}

static void test_large_requests_pass_the_pool_by(void **state)
{
    static uint8_t out[CRYPTO_RANDOM_POOL_SIZE + 1];
    crypto_random_take(*state, 0, out, 16);
    crypto_random_take(*state, 0, out, sizeof out);
    assert_true(all_are(out, sizeof out, 2));
    crypto_random_take(*state, 0, out, 16);
    assert_true(all_are(out, 16, 1));
}

static void test_nothing_wanted_nothing_written(void **state)
{
    uint8_t out = 0xEE;
    crypto_random_take(*state, 0, &out, 0);
    assert_int_equal(out, 0xEE);
}

static void test_old_bytes_are_thrown_away(void **state)
{
    uint8_t out[16];
    crypto_random_take(*state, 5 * SECOND, out, sizeof out);
    crypto_random_take(*state, 65 * SECOND, out, sizeof out);
    assert_true(all_are(out, sizeof out, 1));
    crypto_random_take(*state, 65 * SECOND + 1, out, sizeof out);
    assert_true(all_are(out, sizeof out, 2));
}

static int take_in_child(void *pool)
{
    uint8_t out[16];
    crypto_random_take(pool, SECOND, out, sizeof out);
    return all_are(out, sizeof out, 2) ? 0 : 1;
}

static void test_a_child_has_none_of_its_parents_bytes(void **state)
{
    uint8_t out[16];
    crypto_random_take(*state, SECOND, out, sizeof out);
    assert_int_equal(child_run(take_in_child, *state), 0);
    crypto_random_take(*state, SECOND, out, sizeof out);
    assert_true(all_are(out, sizeof out, 1));
}

static int set_up_old_kernel(void **state)
{
    wiping_on_fork_fails = true;
    return set_up(state);
}

static void test_memory_short(void **state)
{
    (void)state;
    mapping_fails = true;
    assert_null(crypto_random_pool_open());
    mapping_fails = false;
}

static void test_closing_wipes(void **state)
{
    (void)state;
    uint8_t out[16];
    struct crypto_random_pool *pool = crypto_random_pool_open();
    assert_non_null(pool);
    crypto_random_take(pool, 0, out, sizeof out);
    mapping_was_wiped = false;
    crypto_random_pool_close(pool);
    assert_true(mapping_was_wiped);
    mapping = NULL;
    crypto_random_pool_close(NULL);
}

static void test_without_a_pool(void **state)
{
    (void)state;
    uint8_t out[64] = {0};
    refills = 6;
    crypto_random(out, sizeof out);
    assert_true(all_are(out, sizeof out, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_fill_serves_4096_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_short_rest_is_not_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_handed_out_is_wiped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_requests_pass_the_pool_by, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_wanted_nothing_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_bytes_are_thrown_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_child_has_none_of_its_parents_bytes, set_up, tear_down),
        {"the same before Linux 4.14", test_a_child_has_none_of_its_parents_bytes, set_up_old_kernel, tear_down, NULL},
        cmocka_unit_test(test_memory_short),
        cmocka_unit_test(test_closing_wipes),
        cmocka_unit_test(test_without_a_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
