#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/child.h"
#include "platform/secret_memory.h"

#define CHUNK 16384 /* on machines with pages of up to 16 KiB */

static bool mmap_fails;
static int madvise_fails; /* the advice that does */
static bool mlock2_fails;
static bool mlock2_missing;
static bool munmap_fails;

void *__real_mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset);
int __real_madvise(void *address, size_t size, int advice);
int __wrap_madvise(void *address, size_t size, int advice);
int __real_mlock2(const void *address, size_t size, unsigned flags);
int __wrap_mlock2(const void *address, size_t size, unsigned flags);
int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    if (!mmap_fails)
        return __real_mmap(address, size, protection, flags, descriptor, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

int __wrap_madvise(void *address, size_t size, int advice)
{
    if (advice != madvise_fails)
        return __real_madvise(address, size, advice);
    errno = EINVAL;
    return -1;
}

int __wrap_mlock2(const void *address, size_t size, unsigned flags)
{
    if (!mlock2_fails && !mlock2_missing)
        return __real_mlock2(address, size, flags);
    errno = mlock2_missing ? ENOSYS : ENOMEM;
    return -1;
}

int __wrap_munmap(void *address, size_t size)
{
    if (!munmap_fails)
        return __real_munmap(address, size);
    errno = ENOMEM;
    return -1;
}

static int nothing_fails(void **state)
{
    (void)state;
    mmap_fails = mlock2_fails = mlock2_missing = munmap_fails = false;
    madvise_fails = -1;
    return 0;
}

static bool is_zero(const void *memory, size_t size)
{
    const uint8_t *bytes = memory;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static size_t mapped(void)
{
    return secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes;
}

static size_t unlocked(enum secret_memory_kind kind)
{
    return secret_memory_state(kind).unlocked_bytes;
}

/* What these tests map at once is less than a quarter of it. A container may allow 64 KiB. */
static void skip_where_little_may_be_locked(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    if (limit.rlim_cur < 4u << 20 && geteuid() != 0)
        skip();
}

/* Whether VmFlags in /proc/self/smaps has the flag for the mapping that the address is in. */
static bool mapping_has_flag(const void *memory, const char *flag)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    char line[512];
    bool inside = false;
    bool found = false;
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long begin;
        unsigned long end;
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
            inside = (uintptr_t)memory >= begin && (uintptr_t)memory < end;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag) != NULL;
    }
    (void)fclose(maps);
    return found;
}

static void test_memory_is_zero_and_aligned(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 31, 32, 33, 64, 100, 2048, 2049, 5000, 100000};
    void *pieces[sizeof sizes / sizeof sizes[0]];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        pieces[i] = secret_memory_allocate(sizes[i], SECRET_MEMORY_KEYS);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        assert_true(is_zero(pieces[i], sizes[i]));
        memset(pieces[i], 0xa5, sizes[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        secret_memory_free(pieces[i]);
    secret_memory_free(NULL);
}

/* Pieces share pages without much between them, whatever their size. */
static void test_little_is_left_unused(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    static void *pieces[COUNT];
    for (size_t size = 257; size <= 1025; size += 96) {
        size_t before = secret_memory_state(SECRET_MEMORY_SESSIONS).mapped_bytes;
        for (size_t i = 0; i < COUNT; i++)
            assert_non_null(pieces[i] = secret_memory_allocate(size, SECRET_MEMORY_SESSIONS));
        size_t each = (secret_memory_state(SECRET_MEMORY_SESSIONS).mapped_bytes - before) / COUNT;
        assert_in_range(each, size, size + 64 + size / 8);
        for (size_t i = 0; i < COUNT; i++)
            secret_memory_free(pieces[i]);
    }
}

static void test_pieces_do_not_overlap(void **state)
{
    (void)state;
    enum { COUNT = 1500 };
    static uint8_t *pieces[COUNT];
    static size_t sizes[COUNT];
    uint32_t random = 7;
    for (size_t i = 0; i < COUNT; i++) {
        random = random * 1664525u + 1013904223u;
        sizes[i] = 1 + (random >> 8) % 3000;
        pieces[i] = secret_memory_allocate(sizes[i], i % 2 == 0 ? SECRET_MEMORY_KEYS : SECRET_MEMORY_SESSIONS);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)(i & 0xff), sizes[i]);
        if (i % 3 == 2) {
            secret_memory_free(pieces[i - 1]);
            pieces[i - 1] = NULL;
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; pieces[i] != NULL && j < sizes[i]; j++)
            assert_int_equal(pieces[i][j], i & 0xff);
        secret_memory_free(pieces[i]);
    }
}

static void test_small_pieces_share_pages(void **state)
{
    (void)state;
    enum { COUNT = 10000, SIZE = 64 };
    static void *pieces[COUNT];
    size_t before = mapped();
    for (size_t i = 0; i < COUNT; i++) {
        pieces[i] = secret_memory_allocate(SIZE, SECRET_MEMORY_KEYS);
        assert_non_null(pieces[i]);
    }
    assert_in_range(mapped() - before, COUNT * SIZE - CHUNK, COUNT * SIZE * 11 / 10);
    for (size_t i = 0; i < COUNT; i++)
        secret_memory_free(pieces[i]);
    assert_in_range(mapped() - before, 0, CHUNK);
}

static void test_freed_memory_is_wiped(void **state)
{
    (void)state;
    /* The second piece keeps their page mapped. */
    uint8_t *secret = secret_memory_allocate(64, SECRET_MEMORY_KEYS);
    void *neighbour = secret_memory_allocate(64, SECRET_MEMORY_KEYS);
    assert_non_null(secret);
    assert_non_null(neighbour);
    memset(secret, 0xa5, 64);
    secret_memory_free(secret);
    assert_true(is_zero(secret, 64));
    secret_memory_free(neighbour);
}

static void test_large_pieces_are_wiped_before_they_go(void **state)
{
    (void)state;
    size_t before = mapped();
    uint8_t *secret = secret_memory_allocate(10000, SECRET_MEMORY_KEYS);
    assert_non_null(secret);
    size_t during = mapped();
    assert_in_range(during - before, 10000, 16384);
    memset(secret, 0xa5, 10000);
    munmap_fails = true;
    secret_memory_free(secret);
    munmap_fails = false;
    assert_true(is_zero(secret, 10000));
    /* It is still there, so it still counts. */
    assert_int_equal(mapped(), during);
}

static void test_one_piece_that_comes_and_goes_keeps_its_page(void **state)
{
    (void)state;
    void *first = secret_memory_allocate(1024, SECRET_MEMORY_KEYS);
    assert_non_null(first);
    secret_memory_free(first);
    size_t before = mapped();
    mmap_fails = true;
    void *second = secret_memory_allocate(1024, SECRET_MEMORY_KEYS);
    assert_ptr_equal(second, first);
    assert_int_equal(mapped(), before);
    secret_memory_free(second);
}

static void test_mappings_are_locked_and_left_out_of_core_files(void **state)
{
    (void)state;
    skip_where_little_may_be_locked();
    void *small = secret_memory_allocate(32, SECRET_MEMORY_KEYS);
    void *large = secret_memory_allocate(20000, SECRET_MEMORY_SESSIONS);
    assert_non_null(small);
    assert_non_null(large);
    const void *both[] = {small, large};
    for (size_t i = 0; i < 2; i++) {
        assert_true(mapping_has_flag(both[i], " lo"));
        assert_true(mapping_has_flag(both[i], " dd"));
        assert_true(mapping_has_flag(both[i], " wf"));
    }
    assert_int_equal(unlocked(SECRET_MEMORY_KEYS), 0);
    assert_int_equal(unlocked(SECRET_MEMORY_SESSIONS), 0);
    secret_memory_free(small);
    secret_memory_free(large);
}

static void test_what_cannot_be_locked_is_counted_by_kind(void **state)
{
    (void)state;
    skip_where_little_may_be_locked();
    mlock2_fails = true;
    void *keys = secret_memory_allocate(30000, SECRET_MEMORY_KEYS);
    assert_non_null(keys);
    assert_in_range(unlocked(SECRET_MEMORY_KEYS), 30000, 36864);
    assert_int_equal(unlocked(SECRET_MEMORY_SESSIONS), 0);
    void *sessions = secret_memory_allocate(50000, SECRET_MEMORY_SESSIONS);
    assert_non_null(sessions);
    assert_in_range(unlocked(SECRET_MEMORY_SESSIONS), 50000, 57344);
    secret_memory_free(keys);
    secret_memory_free(sessions);
    assert_int_equal(unlocked(SECRET_MEMORY_KEYS), 0);
    assert_int_equal(unlocked(SECRET_MEMORY_SESSIONS), 0);
}

static void test_an_old_kernel_locks_with_mlock(void **state)
{
    (void)state;
    skip_where_little_may_be_locked();
    mlock2_missing = true;
    void *memory = secret_memory_allocate(30000, SECRET_MEMORY_KEYS);
    assert_non_null(memory);
    assert_int_equal(unlocked(SECRET_MEMORY_KEYS), 0);
    secret_memory_free(memory);
}

static void test_no_memory(void **state)
{
    (void)state;
    size_t before = mapped();
    mmap_fails = true;
    assert_null(secret_memory_allocate(3000, SECRET_MEMORY_KEYS));
    mmap_fails = false;
    /* volatile: the compiler knows that no object has this size. */
    volatile size_t enormous = SIZE_MAX - 100;
    assert_null(secret_memory_allocate(enormous, SECRET_MEMORY_KEYS));
    assert_int_equal(mapped(), before);
}

static void test_no_room_for_another_small_one(void **state)
{
    (void)state;
    enum { MANY = 64 };
    void *pieces[MANY];
    size_t count = 0;
    /* 2048 bytes: seven to a chunk. */
    mmap_fails = false;
    pieces[count++] = secret_memory_allocate(2048, SECRET_MEMORY_KEYS);
    mmap_fails = true;
    while (count < MANY && (pieces[count] = secret_memory_allocate(2048, SECRET_MEMORY_KEYS)) != NULL)
        count++;
    assert_in_range(count, 1, MANY - 1);
    secret_memory_free(pieces[0]);
    pieces[0] = secret_memory_allocate(2048, SECRET_MEMORY_KEYS);
    assert_non_null(pieces[0]);
    for (size_t i = 0; i < count; i++)
        secret_memory_free(pieces[i]);
}

static void test_memory_that_cannot_be_protected_is_not_handed_out(void **state)
{
    (void)state;
    size_t before = mapped();
    madvise_fails = MADV_DONTDUMP;
    assert_null(secret_memory_allocate(3000, SECRET_MEMORY_KEYS));
    madvise_fails = MADV_WIPEONFORK;
    assert_null(secret_memory_allocate(3000, SECRET_MEMORY_KEYS));
    assert_int_equal(mapped(), before);
}

static int look_at_parents_secrets(void *context)
{
    void **secrets = context;
    if (!is_zero(secrets[0], 64) || !is_zero(secrets[1], 5000))
        return 1;
    secret_memory_free(secrets[0]);
    secret_memory_free(secrets[1]);
    struct secret_memory_state state = secret_memory_state(SECRET_MEMORY_KEYS);
    if (state.mapped_bytes != 0 || state.unlocked_bytes != 0)
        return 2;
    void *own = secret_memory_allocate(64, SECRET_MEMORY_KEYS);
    if (own == NULL || own == secrets[0])
        return 3;
    secret_memory_free(own);
    return 0;
}

static void test_a_child_sees_zeros(void **state)
{
    (void)state;
    void *secrets[] = {secret_memory_allocate(64, SECRET_MEMORY_KEYS),
                       secret_memory_allocate(5000, SECRET_MEMORY_KEYS)};
    assert_non_null(secrets[0]);
    assert_non_null(secrets[1]);
    memset(secrets[0], 0xa5, 64);
    memset(secrets[1], 0xa5, 5000);
    assert_int_equal(child_run(look_at_parents_secrets, secrets), 0);
    assert_int_equal(((uint8_t *)secrets[0])[63], 0xa5);
    secret_memory_free(secrets[0]);
    secret_memory_free(secrets[1]);
}

static int free_twice(void *context)
{
    (void)context;
    if (freopen("/dev/null", "w", stderr) == NULL) /* assert() would print its message */
        return 1;
    void *memory = secret_memory_allocate(32, SECRET_MEMORY_KEYS);
    secret_memory_free(memory);
    secret_memory_free(memory);
    return 0;
}

static void test_freeing_twice_is_caught(void **state)
{
    (void)state;
    assert_int_equal(child_run(free_twice, NULL), 128 + 6 /* SIGABRT */);
}

static void *allocate_and_free(void *context)
{
    uint8_t mark = *(const uint8_t *)context;
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t *piece = secret_memory_allocate(1 + i % 300, SECRET_MEMORY_SESSIONS);
        if (piece == NULL || piece[0] != 0)
            return context;
        memset(piece, mark, 1 + i % 300);
        bool intact = piece[0] == mark && piece[i % 300] == mark;
        secret_memory_free(piece);
        if (!intact)
            return context;
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    uint8_t marks[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_and_free, &marks[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed = &threads;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

static void test_wipe(void **state)
{
    (void)state;
    uint8_t key[32];
    memset(key, 0xa5, sizeof key);
    secret_memory_wipe(key, sizeof key - 1);
    assert_true(is_zero(key, sizeof key - 1));
    assert_int_equal(key[sizeof key - 1], 0xa5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nothing_fails, nothing_fails)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_memory_is_zero_and_aligned),
        TEST(test_little_is_left_unused),
        TEST(test_pieces_do_not_overlap),
        TEST(test_small_pieces_share_pages),
        TEST(test_freed_memory_is_wiped),
        TEST(test_large_pieces_are_wiped_before_they_go),
        TEST(test_one_piece_that_comes_and_goes_keeps_its_page),
        TEST(test_mappings_are_locked_and_left_out_of_core_files),
        TEST(test_what_cannot_be_locked_is_counted_by_kind),
        TEST(test_an_old_kernel_locks_with_mlock),
        TEST(test_no_memory),
        TEST(test_no_room_for_another_small_one),
        TEST(test_memory_that_cannot_be_protected_is_not_handed_out),
        TEST(test_a_child_sees_zeros),
        TEST(test_freeing_twice_is_caught),
        TEST(test_threads),
        TEST(test_wipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
