#ifndef PLATFORM_LOCK_FILE_H
#define PLATFORM_LOCK_FILE_H

#include "platform/error_text.h"

/* PATH.lock beside something that only one process may have: a socket, the folder of the spool (docs/security.md
 * rule 24). The kernel lets go of the lock when the process ends in whatever way; a file that was left behind is no
 * obstacle. */

struct lock_file {
    int descriptor; /* -1: not held */
    char *path;
};

#define LOCK_FILE_INITIALIZER                                                                                          \
    {                                                                                                                  \
        .descriptor = -1, .path = NULL                                                                                 \
    }

enum lock_file_verdict {
    LOCK_FILE_HELD,
    LOCK_FILE_BUSY,   /* another process has it; `error` names it */
    LOCK_FILE_FAILED, /* `error` says why */
};

/* Takes the lock beside `path` without waiting. `lock` and `error` are set as the verdict says. */
enum lock_file_verdict lock_file_acquire(const char *path, struct lock_file *lock, struct error_text *error)
    __attribute__((warn_unused_result));

/* Removes the file and lets go; nothing happens if it is not held. */
void lock_file_release(struct lock_file *lock);

#endif
