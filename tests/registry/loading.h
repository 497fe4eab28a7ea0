/* For tests of registry_load: a scratch folder, which is the current one, registry files in it that are named by their
 * number ("0.yaml"), and a configuration that names them. */
#ifndef TESTS_REGISTRY_LOADING_H
#define TESTS_REGISTRY_LOADING_H

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "registry/load.h"
#include "registry/reading.h"

#define LOADING_FILES 4u

struct loading {
    char folder[64];
    const char *names[LOADING_FILES];
    struct config config;
    struct said said;
};

static inline void loading_open(struct loading *loading)
{
    memset(loading, 0, sizeof(*loading));
    strcpy(loading->folder, "/tmp/test_registry_XXXXXX");
    assert_non_null(mkdtemp(loading->folder));
    assert_int_equal(chdir(loading->folder), 0);
    loading->config.file = "usmpd.yaml";
    loading->config.wire.versions = CONFIG_WIRE_BIT(1) | CONFIG_WIRE_BIT(2);
    loading->config.psk.registry.items = loading->names;
}

static inline void loading_add_bytes(struct loading *loading, const char *text, size_t size)
{
    static const char *const names[LOADING_FILES] = {"0.yaml", "1.yaml", "2.yaml", "3.yaml"};
    size_t number = loading->config.psk.registry.count;
    assert_true(number < LOADING_FILES);
    int file = open(names[number], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, size), size);
    assert_int_equal(close(file), 0);
    loading->names[number] = names[number];
    loading->config.psk.registry.count++;
}

static inline void loading_add(struct loading *loading, const char *text)
{
    loading_add_bytes(loading, text, strlen(text));
}

static inline void loading_set_secret(struct config_secret *secret, const char *text)
{
    *secret = (struct config_secret){
        .kind = CONFIG_SECRET_FILE,
        .name = "master.secret",
        .place = {.file = "usmpd.yaml", .line = 7, .column = 11},
        .bytes = (const uint8_t *)text,
        .length = strlen(text),
    };
}

static inline struct registry *loading_run(struct loading *loading)
{
    struct diagnostics *diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    struct registry *registry = registry_load(&loading->config, reading_boot_secret, diagnostics);
    said_take(&loading->said, diagnostics);
    diagnostics_close(diagnostics);
    return registry;
}

static inline void loading_close(struct loading *loading)
{
    for (size_t i = 0; i < LOADING_FILES && loading->names[i] != NULL; i++) {
        unlink(loading->names[i]);
    }
    assert_int_equal(rmdir(loading->folder), 0);
}

#endif
