#ifndef PLATFORM_UNIX_LISTENER_H
#define PLATFORM_UNIX_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "platform/error_text.h"
#include "platform/lock_file.h"

/* A Unix stream socket that listens at a path (docs/security.md rule 24): its lock file first; only a stale socket of
 * our own is removed; mode and group are right before anybody can connect. */

struct unix_listener_settings {
    const char *path;  /* shorter than sockaddr_un's sun_path: 107 bytes */
    mode_t mode;       /* permission bits of the socket, 0660 for instance */
    const char *group; /* NULL or "": the group it gets by itself; otherwise one that the process is in */
    int backlog;
};

struct unix_listener {
    int descriptor; /* listening, non-blocking, close-on-exec; -1: closed. May be duplicated for libuv */
    char *path;
    dev_t device; /* with `inode`: what is ours to remove */
    ino_t inode;
    struct lock_file lock;
};

#define UNIX_LISTENER_INITIALIZER                                                                                      \
    {                                                                                                                  \
        .descriptor = -1, .path = NULL, .lock = LOCK_FILE_INITIALIZER                                                  \
    }

/* Changes the umask for a moment, so it is called before there are threads. On success `listener` is set, otherwise
 * `error`. */
bool unix_listener_open(const struct unix_listener_settings *settings, struct unix_listener *listener,
                        struct error_text *error) __attribute__((warn_unused_result));

/* Removes the path if it is still the same socket, closes it and lets go of the lock; nothing happens if it is not
 * open. */
void unix_listener_close(struct unix_listener *listener);

#endif
