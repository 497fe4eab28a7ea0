#define _GNU_SOURCE
#include "platform/secret_pages.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

size_t secret_pages_unit(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Locked when touched, so that a large table takes no memory before it is used. */
static bool lock_pages(void *pages, size_t size)
{
    if (mlock2(pages, size, MLOCK_ONFAULT) == 0)
        return true;
    return errno == ENOSYS && mlock(pages, size) == 0;
}

/* Maps more than is needed and gives back what lies before and behind the aligned part. */
static void *map_aligned(size_t size, size_t alignment)
{
    size_t slack = alignment - secret_pages_unit();
    uint8_t *mapping = mmap(NULL, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    size_t before = (alignment - (uintptr_t)mapping % alignment) % alignment;
    if (before > 0)
        (void)munmap(mapping, before);
    if (slack > before)
        (void)munmap(mapping + before + size, slack - before);
    return mapping + before;
}

void *secret_pages_map(size_t size, size_t alignment, bool *locked)
{
    void *pages = map_aligned(size, alignment);
    if (pages == NULL)
        return NULL;
    if (madvise(pages, size, MADV_DONTDUMP) != 0 || madvise(pages, size, MADV_WIPEONFORK) != 0) {
        (void)munmap(pages, size);
        return NULL;
    }
    *locked = lock_pages(pages, size);
    return pages;
}

bool secret_pages_unmap(void *pages, size_t size)
{
    return munmap(pages, size) == 0;
}
