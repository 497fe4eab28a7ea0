#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/arena.h"
#include "platform/secret_memory.h"

static unsigned plain_chunks;
static unsigned secret_chunks;
static bool short_of_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind);

void *__wrap_calloc(size_t count, size_t size)
{
    plain_chunks++;
    return short_of_memory ? NULL : __real_calloc(count, size);
}

void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind)
{
    secret_chunks++;
    assert_int_equal(kind, SECRET_MEMORY_KEYS);
    return short_of_memory ? NULL : __real_secret_memory_allocate(size, kind);
}

static int set_up(void **state)
{
    (void)state;
    plain_chunks = 0;
    secret_chunks = 0;
    short_of_memory = false;
    return 0;
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct config_arena arena = {.locked = false};
    unsigned char *last = NULL;
    size_t last_size = 0;
    for (size_t size = 1; size < 300; size++) {
        unsigned char *piece = config_arena_allocate(&arena, size);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(piece[i], 0);
        }
        memset(piece, 0xEE, size);
        if (last != NULL) {
            assert_int_equal(last[last_size - 1], 0xEE);
            assert_true(piece >= last + last_size || piece + size <= last);
        }
        last = piece;
        last_size = size;
    }
    assert_true(plain_chunks > 1);
    assert_int_equal(secret_chunks, 0);
    config_arena_free(&arena);
    assert_null(arena.newest);
}

static void copies_end_with_nul(void **state)
{
    (void)state;
    struct config_arena arena = {.locked = false};
    const char *first = config_arena_copy(&arena, "abcdef", 3);
    const char *second = config_arena_copy(&arena, NULL, 0);
    const char *third = config_arena_copy(&arena, "x\0y", 3);
    assert_string_equal(first, "abc");
    assert_string_equal(second, "");
    assert_memory_equal(third, "x\0y", 4);
    /* Texts lie close together. */
    assert_ptr_equal(second, first + 4);
    config_arena_free(&arena);
}

static void larger_pieces_than_chunks(void **state)
{
    (void)state;
    struct config_arena arena = {.locked = false};
    assert_non_null(config_arena_allocate(&arena, 1));
    size_t large = (size_t)5 << 20;
    unsigned char *piece = config_arena_allocate(&arena, large);
    assert_non_null(piece);
    memset(piece, 1, large);
    assert_non_null(config_arena_allocate(&arena, 1));
    config_arena_free(&arena);
}

static void number_of_chunks_stays_small(void **state)
{
    (void)state;
    struct config_arena arena = {.locked = false};
    for (unsigned i = 0; i < 1000000; i++) {
        assert_non_null(config_arena_copy(&arena, "0123456789", 10));
    }
    assert_true(plain_chunks < 25);
    config_arena_free(&arena);
}

static void secrets_are_in_secret_memory(void **state)
{
    (void)state;
    struct config_arena arena = {.locked = true};
    char *text = config_arena_copy(&arena, "secret", 6);
    assert_string_equal(text, "secret");
    assert_int_equal(secret_chunks, 1);
    assert_int_equal(plain_chunks, 0);
    assert_true(secret_memory_state(SECRET_MEMORY_KEYS).mapped_bytes > 0);
    config_arena_free(&arena);
}

static void no_memory_is_no_piece(void **state)
{
    (void)state;
    struct config_arena plain = {.locked = false};
    struct config_arena locked = {.locked = true};
    short_of_memory = true;
    assert_null(config_arena_allocate(&plain, 1));
    assert_null(config_arena_copy(&locked, "x", 1));
    short_of_memory = false;
    assert_null(config_arena_allocate(&plain, SIZE_MAX));
    assert_null(config_arena_allocate(&plain, SIZE_MAX - 100));
    assert_non_null(config_arena_allocate(&plain, 1));
    config_arena_free(&plain);
    config_arena_free(&locked);
    config_arena_free(&locked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pieces_are_zeroed_aligned_and_apart, set_up),
        cmocka_unit_test_setup(copies_end_with_nul, set_up),
        cmocka_unit_test_setup(larger_pieces_than_chunks, set_up),
        cmocka_unit_test_setup(number_of_chunks_stays_small, set_up),
        cmocka_unit_test_setup(secrets_are_in_secret_memory, set_up),
        cmocka_unit_test_setup(no_memory_is_no_piece, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
