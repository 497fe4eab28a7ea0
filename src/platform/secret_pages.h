#ifndef PLATFORM_SECRET_PAGES_H
#define PLATFORM_SECRET_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/* The pages under secret_memory.h: left out of core files, zeros in a forked child (Linux 4.14), locked if it can be.
 * Nothing is shared here, nobody but secret_memory.c calls it. */

size_t secret_pages_unit(void); /* the size of a page */

/* `size` bytes of zeros, both a multiple of the page size and beginning at a multiple of `alignment`, itself a
 * multiple of the page size; or NULL. `locked` is set with success. */
void *secret_pages_map(size_t size, size_t alignment, bool *locked) __attribute__((warn_unused_result));

/* Whether they are gone: a process with too many mappings may not split one. They have been wiped before. */
bool secret_pages_unmap(void *pages, size_t size) __attribute__((warn_unused_result));

#endif
