#include "platform/secret_memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "platform/secret_pages.h"

#define CHUNK_SIZE_MIN ((size_t)16384)
#define CHUNK_SIZE_MAX ((size_t)65536)
#define SLOT_SIZE_MIN ((size_t)32)
#define SLOT_UNIT ((size_t)64)
#define SLOT_SIZE_MAX ((size_t)2048)               /* what is larger has a chunk of its own */
#define SLOT_SIZES (1 + SLOT_SIZE_MAX / SLOT_UNIT) /* 32 bytes, and every multiple of 64 */
#define WORD_BITS 64
#define CHUNK_MAGIC UINT64_C(0x75736d702d6d656d)

/* The head of a mapping that begins at a multiple of the chunk size, so that it is found from any piece in it. It
 * shares the fate of the secrets behind it: in a forked child it reads as zeros. */
struct chunk {
    uint64_t magic;
    struct chunk *next; /* the list of chunks of one kind and slot size that have a free slot */
    struct chunk *previous;
    size_t mapped_size;
    size_t slot_size; /* 0: one large piece */
    uint32_t slots;
    uint32_t slots_used;
    enum secret_memory_kind kind;
    bool locked;
    uint64_t used[CHUNK_SIZE_MAX / SLOT_SIZE_MIN / WORD_BITS] __attribute__((aligned(64)));
};

/* Slots of 64 bytes and more lie behind the head at multiples of 64 bytes. */
_Static_assert(sizeof(struct chunk) % SLOT_UNIT == 0, "slots are aligned");

struct arena {
    struct chunk *with_room[SECRET_MEMORY_KINDS][SLOT_SIZES];
    struct secret_memory_state state[SECRET_MEMORY_KINDS];
};

#define STACK_WIPED ((size_t)65536)

#if __has_attribute(zero_call_used_regs)
#define CLEARS_REGISTERS __attribute__((zero_call_used_regs("all")))
#else
#define CLEARS_REGISTERS
#endif

static struct arena arena;
static pthread_mutex_t arena_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_handler_once = PTHREAD_ONCE_INIT;
static bool fork_handler_installed;

/* The chunks of the parent are zeros here and were never locked. */
static void start_afresh_in_child(void)
{
    arena = (struct arena){0};
    arena_mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static void install_fork_handler(void)
{
    fork_handler_installed = pthread_atfork(NULL, NULL, start_afresh_in_child) == 0;
}

static size_t chunk_size(void)
{
    size_t page = secret_pages_unit();
    assert(page <= CHUNK_SIZE_MAX);
    return page > CHUNK_SIZE_MIN ? page : CHUNK_SIZE_MIN;
}

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static struct chunk *map_chunk(size_t size, enum secret_memory_kind kind)
{
    bool locked;
    struct chunk *chunk = secret_pages_map(size, chunk_size(), &locked);
    if (chunk == NULL)
        return NULL;
    chunk->magic = CHUNK_MAGIC;
    chunk->mapped_size = size;
    chunk->kind = kind;
    chunk->locked = locked;
    arena.state[kind].mapped_bytes += size;
    if (!locked)
        arena.state[kind].unlocked_bytes += size;
    return chunk;
}

/* Its secrets have been wiped. */
static void unmap_chunk(struct chunk *chunk)
{
    struct chunk head = *chunk;
    if (!secret_pages_unmap(chunk, head.mapped_size))
        return;
    arena.state[head.kind].mapped_bytes -= head.mapped_size;
    if (!head.locked)
        arena.state[head.kind].unlocked_bytes -= head.mapped_size;
}

static size_t slot_size_for(size_t size)
{
    return size <= SLOT_SIZE_MIN ? SLOT_SIZE_MIN : round_up(size, SLOT_UNIT);
}

/* 32 bytes have the first list. */
static struct chunk **list_for(size_t slot_size, enum secret_memory_kind kind)
{
    return &arena.with_room[kind][slot_size / SLOT_UNIT];
}

static struct chunk **list_of(const struct chunk *chunk)
{
    return list_for(chunk->slot_size, chunk->kind);
}

static void list_insert(struct chunk *chunk)
{
    struct chunk **list = list_of(chunk);
    chunk->previous = NULL;
    chunk->next = *list;
    if (chunk->next != NULL)
        chunk->next->previous = chunk;
    *list = chunk;
}

static void list_remove(struct chunk *chunk)
{
    if (chunk->next != NULL)
        chunk->next->previous = chunk->previous;
    if (chunk->previous != NULL)
        chunk->previous->next = chunk->next;
    else
        *list_of(chunk) = chunk->next;
}

static void *take_slot(struct chunk *chunk)
{
    size_t word = 0;
    while (chunk->used[word] == UINT64_MAX)
        word++;
    unsigned bit = (unsigned)__builtin_ctzll(~chunk->used[word]);
    size_t slot = word * WORD_BITS + bit;
    assert(slot < chunk->slots);
    chunk->used[word] |= UINT64_C(1) << bit;
    chunk->slots_used++;
    if (chunk->slots_used == chunk->slots)
        list_remove(chunk);
    return (uint8_t *)(chunk + 1) + slot * chunk->slot_size;
}

static void *allocate_slot(size_t size, enum secret_memory_kind kind)
{
    size_t slot_size = slot_size_for(size);
    struct chunk *chunk = *list_for(slot_size, kind);
    if (chunk == NULL) {
        chunk = map_chunk(chunk_size(), kind);
        if (chunk == NULL)
            return NULL;
        chunk->slot_size = slot_size;
        chunk->slots = (uint32_t)((chunk->mapped_size - sizeof *chunk) / chunk->slot_size);
        list_insert(chunk);
    }
    return take_slot(chunk);
}

static void *allocate_large(size_t size, enum secret_memory_kind kind)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    struct chunk *chunk = map_chunk(round_up(sizeof *chunk + size, secret_pages_unit()), kind);
    return chunk != NULL ? chunk + 1 : NULL;
}

void *secret_memory_allocate(size_t size, enum secret_memory_kind kind)
{
    assert(size > 0 && kind < SECRET_MEMORY_KINDS);
    (void)pthread_once(&fork_handler_once, install_fork_handler);
    if (!fork_handler_installed)
        return NULL;
    (void)pthread_mutex_lock(&arena_mutex);
    void *memory = size <= SLOT_SIZE_MAX ? allocate_slot(size, kind) : allocate_large(size, kind);
    (void)pthread_mutex_unlock(&arena_mutex);
    return memory;
}

static void release_slot(struct chunk *chunk, void *memory)
{
    size_t offset = (size_t)((uint8_t *)memory - (uint8_t *)(chunk + 1));
    size_t slot = offset / chunk->slot_size;
    uint64_t mask = UINT64_C(1) << slot % WORD_BITS;
    assert(offset % chunk->slot_size == 0 && slot < chunk->slots);
    assert((chunk->used[slot / WORD_BITS] & mask) != 0);
    explicit_bzero(memory, chunk->slot_size);
    chunk->used[slot / WORD_BITS] &= ~mask;
    if (chunk->slots_used == chunk->slots)
        list_insert(chunk);
    chunk->slots_used--;
    /* The last chunk of its list stays: one piece that comes and goes shall not map and lock a page each time. */
    if (chunk->slots_used == 0 && (chunk->next != NULL || chunk->previous != NULL)) {
        list_remove(chunk);
        unmap_chunk(chunk);
    }
}

static void release_large(struct chunk *chunk, void *memory)
{
    assert(memory == chunk + 1);
    explicit_bzero(memory, chunk->mapped_size - sizeof *chunk);
    unmap_chunk(chunk);
}

void secret_memory_free(void *memory)
{
    if (memory == NULL)
        return;
    struct chunk *chunk = (struct chunk *)((uint8_t *)memory - (uintptr_t)memory % chunk_size());
    (void)pthread_mutex_lock(&arena_mutex);
    if (chunk->magic != 0) { /* 0: it is the parent's, wiped by fork() */
        assert(chunk->magic == CHUNK_MAGIC);
        if (chunk->slot_size != 0)
            release_slot(chunk, memory);
        else
            release_large(chunk, memory);
    }
    (void)pthread_mutex_unlock(&arena_mutex);
}

struct secret_memory_state secret_memory_state(enum secret_memory_kind kind)
{
    assert(kind < SECRET_MEMORY_KINDS);
    (void)pthread_mutex_lock(&arena_mutex);
    struct secret_memory_state state = arena.state[kind];
    (void)pthread_mutex_unlock(&arena_mutex);
    return state;
}

void secret_memory_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}

CLEARS_REGISTERS __attribute__((noinline)) void secret_memory_wipe_stack(void)
{
    uint8_t left_over[STACK_WIPED];
    explicit_bzero(left_over, sizeof left_over);
}
