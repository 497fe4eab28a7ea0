/* malloc and its like, as the shared libraries of the process find them: those of an executable come first. What usmpd's
 * own code asks for has gone through calls.c before and passes here; what libuv, libyaml, Jansson, libcrypto, libsystemd
 * and the C library ask for counts as library_malloc and so on. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "faults/plan.h"

/* The sanitizers' where there is one, so that it sees every allocation; otherwise those of the C library. */
void *__interceptor_malloc(size_t size) __attribute__((weak));
void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
void *__interceptor_realloc(void *old, size_t size) __attribute__((weak));
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);

extern const char __executable_start[];
extern const char etext[];

/* They are called before a sanitizer has begun: nothing that is instrumented may be reached until then. */
#define EARLY __attribute__((no_sanitize("address", "undefined", "thread")))

static bool begun;

__attribute__((constructor)) static void begin(void)
{
    begun = true;
}

EARLY static bool fails(const char *name, const void *caller)
{
    const char *at = caller;
    if (!begun || (at >= __executable_start && at < etext) || fault_at(name, caller).kind == FAULT_NONE) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

EARLY void *malloc(size_t size)
{
    if (fails("library_malloc", __builtin_return_address(0))) {
        return NULL;
    }
    return __interceptor_malloc != NULL ? __interceptor_malloc(size) : __libc_malloc(size);
}

EARLY void *calloc(size_t count, size_t size)
{
    if (fails("library_calloc", __builtin_return_address(0))) {
        return NULL;
    }
    return __interceptor_calloc != NULL ? __interceptor_calloc(count, size) : __libc_calloc(count, size);
}

EARLY void *realloc(void *old, size_t size)
{
    if (fails("library_realloc", __builtin_return_address(0))) {
        return NULL;
    }
    return __interceptor_realloc != NULL ? __interceptor_realloc(old, size) : __libc_realloc(old, size);
}
