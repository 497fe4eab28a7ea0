#include "hostile/memory_watch.h"

#include <malloc.h>
#include <stdlib.h>

#include "seam/outbox.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__real_secret_memory_allocate(size_t size, int kind);
void __real_secret_memory_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
void *__wrap_secret_memory_allocate(size_t size, int kind);
void __wrap_secret_memory_free(void *memory);

static bool is_inside;
static struct memory_use use;

void memory_watch_reset(void)
{
    use = (struct memory_use){0};
}

void memory_watch_around(bool inside)
{
    is_inside = inside;
}

struct memory_use memory_watch_use(void)
{
    return use;
}

static size_t counted(void *memory)
{
    size_t size = memory == NULL ? 0 : malloc_usable_size(memory);
    bool is_batch = size >= sizeof(struct seam_batch) && size < sizeof(struct seam_batch) + 64;
    return is_inside && !is_batch ? size : 0;
}

void *__wrap_malloc(size_t size)
{
    void *memory = __real_malloc(size);
    use.bytes += counted(memory);
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *memory = __real_calloc(count, size);
    use.bytes += counted(memory);
    return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
    size_t before = counted(memory);
    void *moved = __real_realloc(memory, size);
    if (moved != NULL)
        use.bytes += counted(moved) - before;
    return moved;
}

void __wrap_free(void *memory)
{
    use.bytes -= counted(memory);
    __real_free(memory);
}

/* What it maps for itself is its own. */
void *__wrap_secret_memory_allocate(size_t size, int kind)
{
    bool was_inside = is_inside;
    is_inside = false;
    void *memory = __real_secret_memory_allocate(size, kind);
    is_inside = was_inside;
    use.secrets += is_inside && memory != NULL;
    return memory;
}

void __wrap_secret_memory_free(void *memory)
{
    bool was_inside = is_inside;
    is_inside = false;
    __real_secret_memory_free(memory);
    is_inside = was_inside;
    use.secrets -= is_inside && memory != NULL;
}
