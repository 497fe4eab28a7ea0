/* For tests of what a registry file says: reads a text into a snapshot and gathers the messages about it. */
#ifndef TESTS_REGISTRY_READING_H
#define TESTS_REGISTRY_READING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/device_id.h"
#include "config/diagnostics.h"
#include "config/yaml_tree.h"
#include "registry/file.h"
#include "registry/registry.h"
#include "registry/snapshot.h"

#define READING_FILE "devices.yaml"
#define READING_DEVICES 64u
#define READING_SAID 65536u

static const uint8_t reading_boot_secret[REGISTRY_BOOT_SECRET_SIZE] = "a boot secret of thirty-two byte";

/* The text of every message, one a line. */
struct said {
    char text[READING_SAID];
    size_t errors;
    size_t warnings;
};

static void said_add(void *context, enum diagnostics_severity severity, const char *text)
{
    struct said *said = context;
    said->errors += severity == DIAGNOSTICS_ERROR;
    said->warnings += severity == DIAGNOSTICS_WARNING;
    size_t length = strlen(said->text);
    assert_true(length + strlen(text) + 2 < sizeof(said->text));
    strcat(said->text, text);
    strcat(said->text, "\n");
}

static inline void said_take(struct said *said, const struct diagnostics *diagnostics)
{
    *said = (struct said){.errors = 0};
    diagnostics_each(diagnostics, said_add, said);
}

/* A text as a registry file has it, and what came of it. */
struct reading {
    struct registry *registry;
    struct registry_file_reader reader;
    struct said said;
};

static inline void reading_open(struct reading *reading, bool allow_development_psk, const char *text)
{
    memset(reading, 0, sizeof(*reading));
    struct diagnostics *diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    reading->registry = registry_create(READING_DEVICES, 4 * READING_DEVICES, reading_boot_secret, 3);
    assert_non_null(reading->registry);
    struct registry_device_origin *origins = calloc(READING_DEVICES, sizeof(*origins));
    assert_non_null(origins);
    reading->reader =
        (struct registry_file_reader){.registry = reading->registry, .diagnostics = diagnostics, .origins = origins};
    reading->reader.entries.keys = &reading->registry->keys;
    reading->reader.entries.allow_development_psk = allow_development_psk;
    struct yaml_tree *tree = yaml_tree_parse(READING_FILE, text, strlen(text), diagnostics);
    if (tree != NULL) {
        registry_file_read(&reading->reader, tree);
    }
    registry_psk_notices_tell(&reading->reader.entries.psk_notices, diagnostics);
    said_take(&reading->said, diagnostics);
    yaml_tree_free(tree);
    diagnostics_close(diagnostics);
    free(origins);
}

static inline void reading_close(struct reading *reading)
{
    registry_release(reading->registry);
}

/* The device of a text without messages. */
static inline const struct registry_device *reading_device(const struct reading *reading, const char *id_text)
{
    uint8_t id[CONFIG_DEVICE_ID_SIZE];
    assert_true(config_device_id_parse(id_text, id));
    const struct registry_device *device = registry_device_table_find(&reading->registry->devices, id);
    assert_non_null(device);
    return device;
}

/* Reads a text and compares everything that is said about it. */
static inline void assert_said(const char *text, const char *expected)
{
    static struct reading reading;
    reading_open(&reading, false, text);
    assert_string_equal(reading.said.text, expected);
    reading_close(&reading);
}

#endif
