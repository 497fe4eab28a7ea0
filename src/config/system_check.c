#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

static void check_group(const struct config_backend *backend, size_t index, struct diagnostics *diagnostics)
{
    if (backend->group == NULL || backend->group[0] == '\0') {
        return;
    }
    errno = 0;
    if (getgrnam(backend->group) == NULL) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, backend->place, "backends[%zu].group: %s \"%s\"%s%s", index,
                        errno == 0 || errno == ENOENT ? "there is no group" : "cannot look up", backend->group,
                        errno == 0 || errno == ENOENT ? "" : ": ",
                        errno == 0 || errno == ENOENT ? "" : strerror(errno));
    }
}

static void folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    const char *from = slash == NULL ? "." : path;
    size_t length = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    snprintf(folder, PATH_MAX, "%.*s", (int)length, from);
}

static void check_folder(const struct config_backend *backend, size_t index, struct diagnostics *diagnostics)
{
    if (backend->socket == NULL) {
        return;
    }
    char folder[PATH_MAX];
    folder_of(backend->socket, folder);
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0) {
        return;
    }
    /* What is missing below /run is made by the service manager, which is what most `--check` runs are made without. */
    if (errno == ENOENT && strncmp(folder, "/run/", strlen("/run/")) == 0) {
        return;
    }
    diagnostics_add(diagnostics, DIAGNOSTICS_WARNING, backend->place,
                    "backends[%zu].socket: this user cannot make a socket in %s: %s", index, folder, strerror(errno));
}

void config_check_system(const struct config *config, struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < config->backends.count; i++) {
        check_group(&config->backends.items[i], i, diagnostics);
        check_folder(&config->backends.items[i], i, diagnostics);
    }
}
