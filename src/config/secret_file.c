#include "config/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

/* A message that stands at the file itself begins with its name anyway. */
static const char *subject(const char *path, struct diagnostics_place place)
{
    return place.file != NULL && place.line == 0 && strcmp(place.file, path) == 0 ? "this file" : path;
}

static bool is_acceptable(int descriptor, const char *path, enum secret_file_access access,
                          struct diagnostics_place place, struct diagnostics *diagnostics)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place, "%s cannot be examined: %s", subject(path, place),
                        strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place, "%s is a folder, not a file", subject(path, place));
        return false;
    }
    if (access == SECRET_FILE_ANY) {
        return true;
    }
    if (!S_ISREG(status.st_mode)) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place, "%s is no regular file", subject(path, place));
        return false;
    }
    if (comes_from_platform(descriptor)) {
        return true;
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place,
                        "%s belongs to user %u, who can read and change it: it must belong to user %u (who runs this) "
                        "or to root: chown it",
                        subject(path, place), status.st_uid, geteuid());
        return false;
    }
    if ((status.st_mode & (S_IROTH | S_IWOTH | S_IXOTH)) != 0) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place,
                        "%s holds keys and is open to others (mode %04o): chmod o-rwx %s", subject(path, place),
                        status.st_mode & 07777u, path);
        return false;
    }
    return true;
}

int secret_file_open(const char *path, enum secret_file_access access, struct diagnostics_place place,
                     struct diagnostics *diagnostics)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
    if (access == SECRET_FILE_PRIVATE) {
        flags |= O_NONBLOCK; /* or a pipe in the file's place would hold the start up before it is refused */
    }
    int descriptor = open(path, flags);
    if (descriptor < 0) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place, "%s cannot be opened: %s", subject(path, place),
                        strerror(errno));
        return -1;
    }
    if (!is_acceptable(descriptor, path, access, place, diagnostics)) {
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

char *secret_file_read(const char *path, enum secret_file_access access, size_t limit, size_t *length,
                       struct diagnostics_place place, struct diagnostics *diagnostics)
{
    int descriptor = secret_file_open(path, access, place, diagnostics);
    if (descriptor < 0) {
        return NULL;
    }
    /* One byte more than allowed tells a file that is too large, one more is the NUL. */
    char *bytes = secret_memory_allocate(limit + 2, SECRET_MEMORY_KEYS);
    ssize_t count = bytes == NULL ? 0 : read_up_to(descriptor, bytes, limit + 1);
    int error = errno;
    close(descriptor);
    if (bytes == NULL) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place, "%s cannot be read: out of memory",
                        subject(path, place));
    } else if (count < 0) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place, "%s cannot be read: %s", subject(path, place),
                        strerror(error));
    } else if ((size_t)count > limit) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place, "%s is larger than %zu bytes", subject(path, place),
                        limit);
    } else {
        bytes[count] = '\0';
        *length = (size_t)count;
        return bytes;
    }
    secret_memory_free(bytes);
    return NULL;
}
