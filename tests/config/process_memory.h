/* Looks for bytes in all of this process's writable memory: what a core file or a swap device would hold. */
#ifndef TESTS_CONFIG_PROCESS_MEMORY_H
#define TESTS_CONFIG_PROCESS_MEMORY_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The pattern is handed over masked; it is unmasked in a mapping of its own, with the window through which memory is
 * looked at, and that is left out, so that the search does not find itself. Sanitizers map terabytes of shadow memory:
 * left out too. */
#define PROCESS_MEMORY_MASK 0x5Au
#define PROCESS_MEMORY_WINDOW (1ul << 20)
#define PROCESS_MEMORY_LARGEST (1ul << 30)

struct process_memory_search {
    unsigned char pattern[64];
    unsigned char window[PROCESS_MEMORY_WINDOW];
};

static inline size_t process_memory_count_in_window(const struct process_memory_search *search, size_t size,
                                                    size_t length)
{
    size_t found = 0;
    const unsigned char *at = search->window;
    const unsigned char *end = search->window + size;
    while ((at = memmem(at, (size_t)(end - at), search->pattern, length)) != NULL) {
        found++;
        at++;
    }
    return found;
}

/* How often the bytes whose masked form is given stand in memory; at most 64. */
static inline size_t process_memory_count(const unsigned char *masked, size_t length)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    struct process_memory_search *search =
        mmap(NULL, sizeof(*search), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_non_null(maps);
    assert_true(memory >= 0);
    assert_true(search != MAP_FAILED && length <= sizeof search->pattern);
    for (size_t i = 0; i < length; i++) {
        search->pattern[i] = masked[i] ^ PROCESS_MEMORY_MASK;
    }
    size_t found = 0;
    char line[512];
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long begin;
        unsigned long end;
        char mode[5];
        assert_int_equal(sscanf(line, "%lx-%lx %4s", &begin, &end, mode), 3);
        bool own = begin <= (unsigned long)search && (unsigned long)search < end;
        if (mode[0] != 'r' || mode[1] != 'w' || own || end - begin > PROCESS_MEMORY_LARGEST) {
            continue;
        }
        for (unsigned long at = begin; at < end; at += PROCESS_MEMORY_WINDOW - length) {
            size_t wanted = end - at < PROCESS_MEMORY_WINDOW ? end - at : PROCESS_MEMORY_WINDOW;
            ssize_t count = pread(memory, search->window, wanted, (off_t)at);
            if (count > 0) {
                found += process_memory_count_in_window(search, (size_t)count, length);
            }
        }
    }
    munmap(search, sizeof(*search));
    close(memory);
    fclose(maps);
    return found;
}

#endif
