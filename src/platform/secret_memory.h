#ifndef PLATFORM_SECRET_MEMORY_H
#define PLATFORM_SECRET_MEMORY_H

#include <stddef.h>

/* Memory for keys and whatever a key could be computed from (docs/security.md rule 5).
 *
 * It is locked into RAM as far as RLIMIT_MEMLOCK allows, is left out of core files, reads as zeros in a forked
 * child, and is wiped before it is given back. Small pieces share pages: 100,000 keys of 64 bytes take 7 MB.
 *
 * The allocator belongs to the process, as malloc does, because the limit on locked memory is one of the process.
 * Every function may be called from any thread. In a forked child the memory of the parent reads as zeros and
 * freeing it does nothing; what the child allocates is its own. */

enum secret_memory_kind {
    /* PSKs, master secrets, cookie and ephemeral keys: `require_locked_memory` asks for these to be locked. */
    SECRET_MEMORY_KEYS,
    /* Session keys: locked while the limit leaves room, and no reason to refuse a start where it does not. */
    SECRET_MEMORY_SESSIONS,
    SECRET_MEMORY_KINDS,
};

struct secret_memory_state {
    size_t mapped_bytes;   /* whole pages, free places in them included */
    size_t unlocked_bytes; /* of these, what could not be locked; 0 = all of it is */
};

/* `size` bytes of zeros, aligned for any type, or NULL where memory is short. A piece is locked whole or not at all,
 * so a large table that may stay partly unlocked is best allocated in blocks. `size` is at least 1. */
void *secret_memory_allocate(size_t size, enum secret_memory_kind kind)
    __attribute__((malloc, alloc_size(1), warn_unused_result));

/* Wipes and frees what secret_memory_allocate() returned; NULL is allowed. */
void secret_memory_free(void *memory);

/* How much of this kind is in use now and how much of that is not locked: for the warning at start, `status` and
 * `require_locked_memory`. */
struct secret_memory_state secret_memory_state(enum secret_memory_kind kind);

/* Overwrites secrets that lie elsewhere, on the stack for instance; the compiler never removes the call. */
void secret_memory_wipe(void *memory, size_t size);

/* Overwrites what functions that have returned by now left on the stack, 64 KiB below the caller, and in the registers
 * that a call may change: libraries wipe their variables, but not what the compiler, or the dynamic linker when it
 * looks up a function, puts aside on the stack. For the end of what handled many secrets. */
void secret_memory_wipe_stack(void);

#endif
