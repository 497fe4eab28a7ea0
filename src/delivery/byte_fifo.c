#include "delivery/byte_fifo.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void byte_fifo_open(struct byte_fifo *fifo, size_t chunk_size)
{
    assert(chunk_size >= 64);
    *fifo = (struct byte_fifo){.capacity = chunk_size - sizeof(struct byte_chunk)};
}

static void free_chunks(struct byte_chunk *chunk)
{
    while (chunk != NULL) {
        struct byte_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void byte_fifo_close(struct byte_fifo *fifo)
{
    free_chunks(fifo->first);
    *fifo = (struct byte_fifo){.capacity = fifo->capacity};
}

static struct byte_chunk *allocate_chunk(size_t capacity)
{
    struct byte_chunk *chunk = malloc(sizeof *chunk + capacity);
    if (chunk != NULL)
        chunk->next = NULL;
    return chunk;
}

bool byte_fifo_reserve(struct byte_fifo *fifo, size_t size)
{
    if (fifo->first == NULL) {
        fifo->first = allocate_chunk(fifo->capacity);
        if (fifo->first == NULL)
            return false;
        fifo->write = fifo->first;
    }
    size_t room = fifo->capacity - fifo->write_offset;
    struct byte_chunk *chunk = fifo->write;
    while (room < size) {
        if (chunk->next == NULL)
            chunk->next = allocate_chunk(fifo->capacity);
        if (chunk->next == NULL)
            return false;
        chunk = chunk->next;
        room += fifo->capacity;
    }
    return true;
}

void byte_fifo_append(struct byte_fifo *fifo, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        if (fifo->write_offset == fifo->capacity) {
            assert(fifo->write->next != NULL);
            fifo->write = fifo->write->next;
            fifo->write_offset = 0;
        }
        size_t room = fifo->capacity - fifo->write_offset;
        size_t part = size < room ? size : room;
        memcpy(fifo->write->bytes + fifo->write_offset, from, part);
        fifo->write_offset += part;
        fifo->size += part;
        from += part;
        size -= part;
    }
}

const uint8_t *byte_fifo_peek(const struct byte_fifo *fifo, size_t *size)
{
    if (fifo->size == 0) {
        *size = 0;
        return NULL;
    }
    size_t end = fifo->first == fifo->write ? fifo->write_offset : fifo->capacity;
    *size = end - fifo->read_offset;
    return fifo->first->bytes + fifo->read_offset;
}

/* The first chunk is read to its end: it becomes the empty one behind `write`, unless there is one. */
static void leave_first_chunk(struct byte_fifo *fifo)
{
    struct byte_chunk *left = fifo->first;
    fifo->first = left->next;
    fifo->read_offset = 0;
    if (fifo->write->next != NULL) {
        free(left);
    } else {
        left->next = NULL;
        fifo->write->next = left;
    }
}

void byte_fifo_drop(struct byte_fifo *fifo, size_t size)
{
    assert(size <= fifo->size);
    fifo->size -= size;
    while (fifo->size > 0 && size >= fifo->capacity - fifo->read_offset) {
        size -= fifo->capacity - fifo->read_offset;
        leave_first_chunk(fifo);
    }
    fifo->read_offset += size;
    if (fifo->size == 0)
        byte_fifo_clear(fifo);
}

void byte_fifo_copy(const struct byte_fifo *fifo, void *bytes, size_t size)
{
    assert(size <= fifo->size);
    uint8_t *to = bytes;
    const struct byte_chunk *chunk = fifo->first;
    size_t offset = fifo->read_offset;
    while (size > 0) {
        size_t held = fifo->capacity - offset;
        size_t part = held < size ? held : size;
        memcpy(to, chunk->bytes + offset, part);
        chunk = chunk->next;
        offset = 0;
        to += part;
        size -= part;
    }
}

void byte_fifo_take(struct byte_fifo *fifo, void *bytes, size_t size)
{
    byte_fifo_copy(fifo, bytes, size);
    byte_fifo_drop(fifo, size);
}

void byte_fifo_clear(struct byte_fifo *fifo)
{
    /* Back to the beginning of one chunk: a queue that empties every turn then lives in the same warm memory. */
    if (fifo->first != NULL && fifo->first->next != NULL) {
        free_chunks(fifo->first->next->next);
        fifo->first->next->next = NULL;
    }
    fifo->write = fifo->first;
    fifo->read_offset = 0;
    fifo->write_offset = 0;
    fifo->size = 0;
}
