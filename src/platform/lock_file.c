#define _GNU_SOURCE
#include "platform/lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".lock"
#define PID_TEXT_SIZE 24
/* Each attempt can only fail by a holder that goes away between our open() and our flock(). */
#define ATTEMPTS 16

static int open_lock_file(const char *path, struct error_text *error)
{
    /* Non-blocking for the case that somebody put a FIFO there. */
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (descriptor < 0) {
        error_text_set(error, "cannot open %s: %s", path, strerrordesc_np(errno));
        return -1;
    }
    struct stat status;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid())
        return descriptor;
    error_text_set(error, "%s is not a file of our own", path);
    (void)close(descriptor);
    return -1;
}

/* The holder before us removes the file before it lets go: what we locked may be without a name by now. */
static bool is_still_at(int descriptor, const char *path)
{
    struct stat opened;
    struct stat named;
    return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

static void name_holder(int descriptor, const char *path, struct error_text *error)
{
    char pid[PID_TEXT_SIZE];
    ssize_t length = pread(descriptor, pid, sizeof pid - 1, 0);
    pid[length > 0 ? length : 0] = '\0';
    size_t digits = strspn(pid, "0123456789");
    if (digits > 0)
        error_text_set(error, "another process (pid %.*s) holds %s", (int)digits, pid, path);
    else
        error_text_set(error, "another process holds %s", path);
}

static bool write_pid(int descriptor)
{
    char pid[PID_TEXT_SIZE];
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    return ftruncate(descriptor, 0) == 0 && pwrite(descriptor, pid, (size_t)length, 0) == length;
}

/* HELD: `*result` is the locked descriptor. */
static enum lock_file_verdict lock_once(const char *path, int *result, struct error_text *error)
{
    int descriptor = open_lock_file(path, error);
    if (descriptor < 0)
        return LOCK_FILE_FAILED;
    enum lock_file_verdict verdict = LOCK_FILE_FAILED;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
        *result = descriptor;
        return LOCK_FILE_HELD;
    }
    if (errno == EWOULDBLOCK) {
        verdict = LOCK_FILE_BUSY;
        name_holder(descriptor, path, error);
    } else {
        error_text_set(error, "cannot lock %s: %s", path, strerrordesc_np(errno));
    }
    (void)close(descriptor);
    return verdict;
}

static enum lock_file_verdict lock_named(const char *path, int *result, struct error_text *error)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int descriptor = -1;
        enum lock_file_verdict verdict = lock_once(path, &descriptor, error);
        if (verdict != LOCK_FILE_HELD)
            return verdict;
        if (is_still_at(descriptor, path)) {
            *result = descriptor;
            return LOCK_FILE_HELD;
        }
        (void)close(descriptor);
    }
    error_text_set(error, "%s is removed again and again while we try to lock it", path);
    return LOCK_FILE_FAILED;
}

enum lock_file_verdict lock_file_acquire(const char *path, struct lock_file *lock, struct error_text *error)
{
    size_t length = strlen(path);
    char *lock_path = malloc(length + sizeof SUFFIX);
    if (lock_path == NULL) {
        error_text_set(error, "out of memory");
        return LOCK_FILE_FAILED;
    }
    memcpy(lock_path, path, length);
    memcpy(lock_path + length, SUFFIX, sizeof SUFFIX);
    int descriptor = -1;
    enum lock_file_verdict verdict = lock_named(lock_path, &descriptor, error);
    if (verdict == LOCK_FILE_HELD && !write_pid(descriptor)) {
        error_text_set(error, "cannot write to %s", lock_path);
        (void)close(descriptor);
        verdict = LOCK_FILE_FAILED;
    }
    if (verdict != LOCK_FILE_HELD) {
        free(lock_path);
        return verdict;
    }
    *lock = (struct lock_file){.descriptor = descriptor, .path = lock_path};
    return LOCK_FILE_HELD;
}

void lock_file_release(struct lock_file *lock)
{
    if (lock->descriptor < 0)
        return;
    if (is_still_at(lock->descriptor, lock->path))
        (void)unlink(lock->path);
    (void)close(lock->descriptor);
    free(lock->path);
    *lock = (struct lock_file)LOCK_FILE_INITIALIZER;
}
