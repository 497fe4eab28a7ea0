/* Files that hold keys: opened with a check of who else can read them, read into locked memory.
 *
 * The check is of the open descriptor, so nobody can change the file between the check and the reading. Symbolic links
 * are followed: container platforms deliver secrets as links to a version of them, and a link is as good as the file
 * that it leads to, which is what the check looks at. Whoever could plant a link could change the configuration too.
 */
#ifndef CONFIG_SECRET_FILE_H
#define CONFIG_SECRET_FILE_H

#include <stddef.h>

#include "config/diagnostics.h"

enum secret_file_access {
    /* A regular file of this user or root that others (the last digit of its mode) can neither read nor write. Below
     * $CREDENTIALS_DIRECTORY and /run/secrets owner and mode are what the platform made them, and are not asked. */
    SECRET_FILE_PRIVATE,
    /* Any owner and mode (`insecure_permissions`, or a file without keys); anything but a directory. */
    SECRET_FILE_ANY,
};

struct secret_file {
    const char *path;
    enum secret_file_access access;
    const char *key;                /* dotted, of the key that names the file, for messages; NULL: the file itself is */
    struct diagnostics_place place; /* where messages stand */
};

/* A descriptor for reading, which the caller closes, or -1 after adding an error. */
int secret_file_open(const struct secret_file *file, struct diagnostics *diagnostics)
    __attribute__((warn_unused_result));

/* The whole file in secret memory, for secret_memory_free, and its length; a NUL that `length` does not count stands
 * behind it. NULL after adding an error, which a file of more than `limit` bytes is, too. */
char *secret_file_read(const struct secret_file *file, size_t limit, size_t *length, struct diagnostics *diagnostics)
    __attribute__((warn_unused_result));

#endif
