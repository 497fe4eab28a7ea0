#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/byte_fifo.h"

#define CHUNK 128

static bool memory_is_short;
static size_t chunks_alive;

void *__real_malloc(size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t size)
{
    if (memory_is_short)
        return NULL;
    chunks_alive++;
    return __real_malloc(size);
}

void __wrap_free(void *memory)
{
    if (memory != NULL)
        chunks_alive--;
    __real_free(memory);
}

/* Byte n of everything that ever went in. */
static uint8_t byte_at(size_t position)
{
    return (uint8_t)(position * 31 + position / 251);
}

static void put(struct byte_fifo *fifo, size_t position, size_t size)
{
    uint8_t bytes[1000];
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(position + i);
    assert_true(byte_fifo_reserve(fifo, size));
    byte_fifo_append(fifo, bytes, size);
}

static void expect(struct byte_fifo *fifo, size_t position, size_t size)
{
    uint8_t bytes[1000];
    byte_fifo_take(fifo, bytes, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], byte_at(position + i));
}

static void what_goes_in_comes_out_across_borders_of_chunks(void **state)
{
    (void)state;
    struct byte_fifo fifo;
    byte_fifo_open(&fifo, CHUNK);
    size_t in = 0;
    size_t out = 0;
    for (size_t round = 0; round < 2000; round++) {
        size_t size = round * 7 % 311;
        put(&fifo, in, size);
        in += size;
        size_t taken = round * 11 % 307;
        taken = taken < in - out ? taken : in - out;
        expect(&fifo, out, taken);
        out += taken;
        assert_int_equal(fifo.size, in - out);
    }
    byte_fifo_close(&fifo);
    assert_int_equal(chunks_alive, 0);
}

static void pieces_can_be_looked_at_before_they_go(void **state)
{
    (void)state;
    struct byte_fifo fifo;
    byte_fifo_open(&fifo, CHUNK);
    size_t size;
    byte_fifo_peek(&fifo, &size);
    assert_int_equal(size, 0);

    put(&fifo, 0, 500);
    size_t out = 0;
    while (fifo.size > 0) {
        const uint8_t *piece = byte_fifo_peek(&fifo, &size);
        assert_in_range(size, 1, CHUNK);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(piece[i], byte_at(out + i));
        size_t dropped = size > 3 ? size - 3 : size;
        byte_fifo_drop(&fifo, dropped);
        out += dropped;
    }
    assert_int_equal(out, 500);
    byte_fifo_close(&fifo);
}

static void a_whole_row_of_chunks_can_be_dropped_at_once(void **state)
{
    (void)state;
    struct byte_fifo fifo;
    byte_fifo_open(&fifo, CHUNK);
    put(&fifo, 0, 900);
    byte_fifo_drop(&fifo, 899);
    expect(&fifo, 899, 1);
    put(&fifo, 5, 10);
    expect(&fifo, 5, 10);
    byte_fifo_close(&fifo);
}

static void memory_is_what_is_held_and_three_chunks(void **state)
{
    (void)state;
    struct byte_fifo fifo;
    byte_fifo_open(&fifo, CHUNK);
    size_t in = 0;
    size_t out = 0;
    for (size_t round = 0; round < 3000; round++) {
        put(&fifo, in, 50);
        in += 50;
        if (round % 100 > 50) {
            size_t taken = in - out < 100 ? in - out : 100;
            expect(&fifo, out, taken);
            out += taken;
        }
        assert_in_range(chunks_alive, 1, (in - out) / fifo.capacity + 3);
    }
    expect(&fifo, out, 1);
    byte_fifo_clear(&fifo);
    assert_in_range(chunks_alive, 1, 2);
    assert_int_equal(fifo.size, 0);
    put(&fifo, 9, 300);
    expect(&fifo, 9, 300);
    byte_fifo_close(&fifo);
    assert_int_equal(chunks_alive, 0);
}

static void emptied_every_time_it_needs_no_new_memory(void **state)
{
    (void)state;
    struct byte_fifo fifo;
    byte_fifo_open(&fifo, CHUNK);
    put(&fifo, 0, 100);
    expect(&fifo, 0, 100);
    memory_is_short = true;
    for (size_t round = 0; round < 100; round++) {
        put(&fifo, 0, 100);
        expect(&fifo, 0, 100);
    }
    memory_is_short = false;
    byte_fifo_close(&fifo);
}

static void short_of_memory_it_refuses_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct byte_fifo fifo;
    byte_fifo_open(&fifo, CHUNK);
    memory_is_short = true;
    assert_false(byte_fifo_reserve(&fifo, 1));
    memory_is_short = false;
    put(&fifo, 0, 60);
    memory_is_short = true;
    assert_false(byte_fifo_reserve(&fifo, 1000));
    assert_true(byte_fifo_reserve(&fifo, 60));
    memory_is_short = false;
    expect(&fifo, 0, 60);
    byte_fifo_close(&fifo);
    assert_int_equal(chunks_alive, 0);
}

static int setup(void **state)
{
    (void)state;
    chunks_alive = 0;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_goes_in_comes_out_across_borders_of_chunks, setup),
        cmocka_unit_test_setup(pieces_can_be_looked_at_before_they_go, setup),
        cmocka_unit_test_setup(a_whole_row_of_chunks_can_be_dropped_at_once, setup),
        cmocka_unit_test_setup(memory_is_what_is_held_and_three_chunks, setup),
        cmocka_unit_test_setup(emptied_every_time_it_needs_no_new_memory, setup),
        cmocka_unit_test_setup(short_of_memory_it_refuses_and_keeps_what_it_has, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
