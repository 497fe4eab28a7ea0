#define _GNU_SOURCE
#include "platform/unix_listener.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PERMISSIONS ((mode_t)0777)

static bool fill_sockaddr(const char *path, struct sockaddr_un *sockaddr, struct error_text *error)
{
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof sockaddr->sun_path) {
        error_text_set(error, "the path of a socket has 1 to %zu bytes, this one has %zu: %s",
                       sizeof sockaddr->sun_path - 1, length, path);
        return false;
    }
    *sockaddr = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(sockaddr->sun_path, path, length + 1);
    return true;
}

/* GROUP_UNCHANGED for none. */
#define GROUP_UNCHANGED ((gid_t)-1)

static bool find_group(const char *name, gid_t *group, struct error_text *error)
{
    if (name == NULL || name[0] == '\0') {
        *group = GROUP_UNCHANGED;
        return true;
    }
    errno = 0;
    const struct group *entry = getgrnam(name);
    if (entry == NULL) {
        error_text_set(error, "there is no group %s", name);
        return false;
    }
    *group = entry->gr_gid;
    return true;
}

enum answer {
    ANSWER_NONE, /* nobody listens */
    ANSWER_SOMEBODY,
    ANSWER_UNCLEAR,
};

static enum answer ask(const struct sockaddr_un *sockaddr)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return ANSWER_UNCLEAR;
    enum answer answer = ANSWER_UNCLEAR;
    if (connect(descriptor, (const struct sockaddr *)sockaddr, sizeof *sockaddr) == 0 || errno == EAGAIN ||
        errno == EPROTOTYPE)
        answer = ANSWER_SOMEBODY;
    else if (errno == ECONNREFUSED)
        answer = ANSWER_NONE;
    (void)close(descriptor);
    return answer;
}

/* Whatever is there and not a dead socket of ours stays, and is an error. */
static bool remove_stale(const struct sockaddr_un *sockaddr, struct error_text *error)
{
    const char *path = sockaddr->sun_path;
    struct stat status;
    if (lstat(path, &status) != 0) {
        if (errno == ENOENT)
            return true;
        error_text_set(error, "cannot look at %s: %s", path, strerrordesc_np(errno));
        return false;
    }
    if (!S_ISSOCK(status.st_mode)) {
        error_text_set(error, "%s is there and is not a socket", path);
        return false;
    }
    if (status.st_uid != geteuid()) {
        error_text_set(error, "%s is a socket of another user", path);
        return false;
    }
    switch (ask(sockaddr)) {
    case ANSWER_NONE:
        break;
    case ANSWER_SOMEBODY:
        error_text_set(error, "another process listens on %s", path);
        return false;
    case ANSWER_UNCLEAR:
        error_text_set(error, "cannot tell whether somebody listens on %s", path);
        return false;
    }
    if (unlink(path) != 0) {
        error_text_set(error, "cannot remove the stale socket %s: %s", path, strerrordesc_np(errno));
        return false;
    }
    return true;
}

static bool bind_with_mode(int descriptor, const struct sockaddr_un *sockaddr, mode_t mode, struct error_text *error)
{
    mode_t before = umask(PERMISSIONS & ~mode);
    int result = bind(descriptor, (const struct sockaddr *)sockaddr, sizeof *sockaddr);
    int bind_error = errno;
    (void)umask(before);
    if (result == 0)
        return true;
    error_text_set(error, "cannot make %s: %s", sockaddr->sun_path, strerrordesc_np(bind_error));
    return false;
}

/* Before listen(), so whom the group or the mode would not let in has not been let in by a moment. */
static bool settle_ownership(const char *path, const struct unix_listener_settings *settings, gid_t group,
                             struct stat *status, struct error_text *error)
{
    if (group != GROUP_UNCHANGED && lchown(path, (uid_t)-1, group) != 0) {
        error_text_set(error, "cannot give %s to group %s (is its user in it?): %s", path, settings->group,
                       strerrordesc_np(errno));
        return false;
    }
    if (lstat(path, status) != 0 || !S_ISSOCK(status->st_mode)) {
        error_text_set(error, "%s was replaced while it was being made", path);
        return false;
    }
    if ((status->st_mode & PERMISSIONS) != settings->mode) {
        error_text_set(error, "%s has mode %04o and not %04o: its folder has a default ACL", path,
                       (unsigned)(status->st_mode & PERMISSIONS), (unsigned)settings->mode);
        return false;
    }
    return true;
}

/* A socket that is bound and listens, and in `status` what lies at its path; or -1. */
static int make_socket(const struct sockaddr_un *sockaddr, const struct unix_listener_settings *settings, gid_t group,
                       struct stat *status, struct error_text *error)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) {
        error_text_set(error, "cannot make a socket: %s", strerrordesc_np(errno));
        return -1;
    }
    if (!bind_with_mode(descriptor, sockaddr, settings->mode, error))
        goto close_socket;
    if (!settle_ownership(sockaddr->sun_path, settings, group, status, error))
        goto remove_path;
    if (listen(descriptor, settings->backlog) == 0)
        return descriptor;
    error_text_set(error, "cannot listen on %s: %s", sockaddr->sun_path, strerrordesc_np(errno));
remove_path:
    (void)unlink(sockaddr->sun_path);
close_socket:
    (void)close(descriptor);
    return -1;
}

bool unix_listener_open(const struct unix_listener_settings *settings, struct unix_listener *listener,
                        struct error_text *error)
{
    struct sockaddr_un sockaddr;
    gid_t group;
    if (!fill_sockaddr(settings->path, &sockaddr, error) || !find_group(settings->group, &group, error))
        return false;

    struct lock_file lock = LOCK_FILE_INITIALIZER;
    if (lock_file_acquire(settings->path, &lock, error) != LOCK_FILE_HELD)
        return false;
    char *path = strdup(settings->path);
    if (path == NULL) {
        error_text_set(error, "out of memory");
        goto failed;
    }
    if (!remove_stale(&sockaddr, error))
        goto failed;
    struct stat status;
    int descriptor = make_socket(&sockaddr, settings, group, &status, error);
    if (descriptor < 0)
        goto failed;
    *listener = (struct unix_listener){
        .descriptor = descriptor, .path = path, .device = status.st_dev, .inode = status.st_ino, .lock = lock};
    return true;

failed:
    free(path);
    lock_file_release(&lock);
    return false;
}

void unix_listener_close(struct unix_listener *listener)
{
    if (listener->descriptor < 0)
        return;
    struct stat status;
    if (lstat(listener->path, &status) == 0 && status.st_dev == listener->device && status.st_ino == listener->inode)
        (void)unlink(listener->path);
    (void)close(listener->descriptor);
    lock_file_release(&listener->lock);
    free(listener->path);
    *listener = (struct unix_listener)UNIX_LISTENER_INITIALIZER;
}
