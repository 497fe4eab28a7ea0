#include "config/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/secret_memory.h"

static bool lies_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* The path of the file itself, all links followed, so that neither a link nor a ".." leads out of the folder. */
static bool comes_from_platform(int descriptor)
{
    char link[sizeof "/proc/self/fd/-2147483648"];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) {
        return false;
    }
    path[length] = '\0';
    if (lies_below(path, "/run/secrets")) {
        return true;
    }
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    char *folder = credentials == NULL || credentials[0] != '/' ? NULL : realpath(credentials, NULL);
    bool below = folder != NULL && lies_below(path, folder);
    free(folder);
    return below;
}

/* Adds "key: path <what is wrong with it>". */
__attribute__((format(printf, 3, 4))) static void refuse(const struct secret_file *file,
                                                         struct diagnostics *diagnostics, const char *format, ...)
{
    char wrong[DIAGNOSTICS_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(wrong, sizeof wrong, format, arguments);
    va_end(arguments);
    if (file->key == NULL) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, file->place, "this file %s", wrong);
    } else {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, file->place, "%s: %s %s", file->key, file->path, wrong);
    }
}

static bool is_acceptable(const struct secret_file *file, int descriptor, struct diagnostics *diagnostics)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        refuse(file, diagnostics, "cannot be examined: %s", strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        refuse(file, diagnostics, "is a folder, not a file");
        return false;
    }
    if (file->access == SECRET_FILE_ANY) {
        return true;
    }
    if (!S_ISREG(status.st_mode)) {
        refuse(file, diagnostics, "is no regular file");
        return false;
    }
    if (comes_from_platform(descriptor)) {
        return true;
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        refuse(file, diagnostics,
               "belongs to user %u, who can read and change it: it must belong to user %u (who runs this) "
               "or to root: chown it",
               status.st_uid, geteuid());
        return false;
    }
    if ((status.st_mode & (S_IROTH | S_IWOTH | S_IXOTH)) != 0) {
        refuse(file, diagnostics, "holds keys and is open to others (mode %04o): chmod o-rwx %s",
               status.st_mode & 07777u, file->path);
        return false;
    }
    return true;
}

int secret_file_open(const struct secret_file *file, struct diagnostics *diagnostics)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
    if (file->access == SECRET_FILE_PRIVATE) {
        flags |= O_NONBLOCK; /* or a pipe in the file's place would hold the start up before it is refused */
    }
    int descriptor = open(file->path, flags);
    if (descriptor < 0) {
        refuse(file, diagnostics, "cannot be opened: %s", strerror(errno));
        return -1;
    }
    if (!is_acceptable(file, descriptor, diagnostics)) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

/* Up to `size` bytes, fewer at the end of the file only; -1 when reading fails. */
static ssize_t read_up_to(int descriptor, char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(descriptor, bytes + done, size - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return -1;
        }
        if (count == 0) {
            break;
        }
        done += (size_t)count;
    }
    return (ssize_t)done;
}

char *secret_file_read(const struct secret_file *file, size_t limit, size_t *length, struct diagnostics *diagnostics)
{
    int descriptor = secret_file_open(file, diagnostics);
    if (descriptor < 0) {
        return NULL;
    }
    /* One byte more than allowed tells a file that is too large, one more is the NUL. */
    char *bytes = secret_memory_allocate(limit + 2, SECRET_MEMORY_KEYS);
    ssize_t count = bytes == NULL ? 0 : read_up_to(descriptor, bytes, limit + 1);
    int error = errno;
    close(descriptor);
    if (bytes == NULL) {
        refuse(file, diagnostics, "cannot be read: out of memory");
    } else if (count < 0) {
        refuse(file, diagnostics, "cannot be read: %s", strerror(error));
    } else if ((size_t)count > limit) {
        refuse(file, diagnostics, "is larger than %zu bytes", limit);
    } else {
        bytes[count] = '\0';
        *length = (size_t)count;
        return bytes;
    }
    secret_memory_free(bytes);
    return NULL;
}
