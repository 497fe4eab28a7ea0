#include "config/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform/secret_memory.h"

/* A configuration fits into the first chunk; a registry of a million devices needs a few hundred of the largest. */
#define SMALLEST_CHUNK ((size_t)16 << 10)
#define LARGEST_CHUNK ((size_t)1 << 20)

struct config_arena_chunk {
    struct config_arena_chunk *older;
    size_t size; /* of `bytes` */
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

static struct config_arena_chunk *add_chunk(struct config_arena *arena, size_t wanted)
{
    size_t size = SMALLEST_CHUNK;
    if (arena->newest != NULL) {
        size = arena->newest->size < LARGEST_CHUNK / 2 ? arena->newest->size * 2 : LARGEST_CHUNK;
    }
    if (size < wanted) {
        size = wanted;
    }
    size_t whole = sizeof(struct config_arena_chunk) + size;
    struct config_arena_chunk *chunk =
        arena->locked ? secret_memory_allocate(whole, SECRET_MEMORY_KEYS) : calloc(1, whole);
    if (chunk != NULL) {
        chunk->older = arena->newest;
        chunk->size = size;
        arena->newest = chunk;
    }
    return chunk;
}

static void *take(struct config_arena *arena, size_t size, size_t alignment)
{
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    struct config_arena_chunk *chunk = arena->newest;
    size_t start = chunk == NULL ? 0 : (chunk->used + alignment - 1) & ~(alignment - 1);
    if (chunk == NULL || start > chunk->size || chunk->size - start < size) {
        chunk = add_chunk(arena, size);
        if (chunk == NULL) {
            return NULL;
        }
        start = 0;
    }
    chunk->used = start + size;
    return chunk->bytes + start;
}

void *config_arena_allocate(struct config_arena *arena, size_t size)
{
    return take(arena, size, alignof(max_align_t));
}

char *config_arena_copy(struct config_arena *arena, const void *bytes, size_t length)
{
    char *text = take(arena, length + 1, 1);
    if (text != NULL && length > 0) {
        memcpy(text, bytes, length);
    }
    return text;
}

void config_arena_free(struct config_arena *arena)
{
    while (arena->newest != NULL) {
        struct config_arena_chunk *chunk = arena->newest;
        arena->newest = chunk->older;
        if (arena->locked) {
            secret_memory_free(chunk);
        } else {
            explicit_bzero(chunk, sizeof(*chunk) + chunk->size);
            free(chunk);
        }
    }
}
