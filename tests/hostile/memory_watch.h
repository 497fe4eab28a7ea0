/* What a shard has allocated, for programs that are linked with LINKER:--wrap of malloc, calloc, realloc, free,
 * secret_memory_allocate and secret_memory_free. Counts while the shard is at work only; batches of events, which it
 * fills and others free, are left out. One world at a time. */
#ifndef TESTS_HOSTILE_MEMORY_WATCH_H
#define TESTS_HOSTILE_MEMORY_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct memory_use {
    size_t bytes;   /* of malloc's, as it rounds them */
    size_t secrets; /* pieces of secret memory */
};

/* Nothing is in use. */
void memory_watch_reset(void);
/* For a world's `around`: the shard is at work, or not any more. */
void memory_watch_around(bool inside);
struct memory_use memory_watch_use(void);

#endif
