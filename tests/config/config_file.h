/* A configuration written into a file of its own folder, which is the current one, and loaded from there. */
#ifndef TESTS_CONFIG_CONFIG_FILE_H
#define TESTS_CONFIG_CONFIG_FILE_H

#include "config/messages.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

struct config_file {
    char folder[64];
    struct diagnostics *diagnostics;
    struct config *config;
};

static inline void config_file_write(const char *name, const char *text, mode_t mode)
{
    FILE *stream = fopen(name, "w");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(chmod(name, mode), 0);
}

static inline int config_file_set_up(void **state)
{
    struct config_file *file = calloc(1, sizeof(*file));
    if (file == NULL) {
        return -1;
    }
    strcpy(file->folder, "/tmp/test_config.XXXXXX");
    file->diagnostics = diagnostics_open();
    *state = file;
    return mkdtemp(file->folder) == NULL || chdir(file->folder) != 0 || file->diagnostics == NULL ? -1 : 0;
}

/* Files that a test made beside usmpd.yaml are its own to remove. */
static inline int config_file_tear_down(void **state)
{
    struct config_file *file = *state;
    config_free(file->config);
    diagnostics_close(file->diagnostics);
    unlink("usmpd.yaml");
    int result = rmdir(file->folder);
    free(file);
    return result;
}

/* Forgets what was loaded and said before. */
static inline void config_file_reset(struct config_file *file)
{
    config_free(file->config);
    file->config = NULL;
    diagnostics_close(file->diagnostics);
    file->diagnostics = diagnostics_open();
    assert_non_null(file->diagnostics);
}

/* Must load, with just these messages (warnings). */
static inline const struct config *config_file_load_at(void **state, const char *text, const char *messages,
                                                       const char *source, int line)
{
    struct config_file *file = *state;
    config_file_reset(file);
    config_file_write("usmpd.yaml", text, 0644);
    file->config = config_load("usmpd.yaml", file->diagnostics);
    assert_messages_at(file->diagnostics, messages, source, line);
    assert_non_null(file->config);
    return file->config;
}

/* Must be refused, with just these messages. */
static inline void config_file_refuse_at(void **state, const char *text, const char *messages, const char *source,
                                         int line)
{
    struct config_file *file = *state;
    config_file_reset(file);
    config_file_write("usmpd.yaml", text, 0644);
    file->config = config_load("usmpd.yaml", file->diagnostics);
    assert_messages_at(file->diagnostics, messages, source, line);
    assert_null(file->config);
}

#define load(text) config_file_load_at(state, text, "", __FILE__, __LINE__)
#define load_with(text, messages) config_file_load_at(state, text, messages, __FILE__, __LINE__)
#define refuse(text, messages) config_file_refuse_at(state, text, messages, __FILE__, __LINE__)

#endif
