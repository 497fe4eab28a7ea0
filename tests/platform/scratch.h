#ifndef TESTS_PLATFORM_SCRATCH_H
#define TESTS_PLATFORM_SCRATCH_H

/* A folder of its own for a test, with a short name: socket paths are limited. Included after cmocka.h. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH_PATH_SIZE 108

struct scratch {
    char folder[32];
    char path[SCRATCH_PATH_SIZE]; /* FOLDER/socket, for those who need one */
    char lock[SCRATCH_PATH_SIZE]; /* FOLDER/socket.lock */
};

static inline int scratch_make(void **state)
{
    static struct scratch scratch;
    strcpy(scratch.folder, "/tmp/usmpd-test-XXXXXX");
    if (mkdtemp(scratch.folder) == NULL)
        return -1;
    (void)snprintf(scratch.path, sizeof scratch.path, "%s/socket", scratch.folder);
    (void)snprintf(scratch.lock, sizeof scratch.lock, "%s/socket.lock", scratch.folder);
    *state = &scratch;
    return 0;
}

static inline int scratch_remove(void **state)
{
    struct scratch *scratch = *state;
    DIR *folder = opendir(scratch->folder);
    if (folder == NULL)
        return -1;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s", scratch->folder, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && remove(path) != 0)
            return -1;
    }
    (void)closedir(folder);
    return rmdir(scratch->folder);
}

#endif
