/* A first-in first-out store of bytes in chunks: what waits for a backend lies in these.
 *
 * The bytes of an append may lie across a border of chunks, so no room is lost at the end of one, and memory stays
 * below what is held plus three chunks: the partly read one, the partly written one, and one that is kept empty.
 * The owner keeps the bound on what is held. One thread.
 */
#ifndef DELIVERY_BYTE_FIFO_H
#define DELIVERY_BYTE_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_chunk {
    struct byte_chunk *next;
    uint8_t bytes[];
};

struct byte_fifo {
    struct byte_chunk *first; /* the one that is read; NULL before the first append */
    struct byte_chunk *write; /* the one that is appended to; those behind it are empty */
    size_t capacity;          /* bytes of content in a chunk */
    size_t read_offset;       /* in `first` */
    size_t write_offset;      /* in `write` */
    size_t size;              /* bytes held */
};

/* `chunk_size` is what malloc is asked for; at least 64. Allocates nothing yet. */
void byte_fifo_open(struct byte_fifo *fifo, size_t chunk_size);
void byte_fifo_close(struct byte_fifo *fifo);

/* Makes sure that appending `size` bytes cannot fail. False: memory is short, nothing has changed. */
bool byte_fifo_reserve(struct byte_fifo *fifo, size_t size) __attribute__((warn_unused_result));

/* Needs byte_fifo_reserve() before. */
void byte_fifo_append(struct byte_fifo *fifo, const void *bytes, size_t size);

/* Copies the oldest `size` bytes; that many must be held. */
void byte_fifo_copy(const struct byte_fifo *fifo, void *bytes, size_t size);

/* Copies and removes them. */
void byte_fifo_take(struct byte_fifo *fifo, void *bytes, size_t size);

/* The oldest bytes as far as they lie in one piece: `size` is 0 only when nothing is held. They stay until dropped. */
const uint8_t *byte_fifo_peek(const struct byte_fifo *fifo, size_t *size);

/* Removes the oldest `size` bytes; that many must be held. */
void byte_fifo_drop(struct byte_fifo *fifo, size_t size);

/* Removes everything, and keeps a chunk. */
void byte_fifo_clear(struct byte_fifo *fifo);

#endif
