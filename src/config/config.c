#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/secret.h"
#include "config/section.h"
#include "platform/secret_memory.h"

static struct config_memory *open_memory(const char *path)
{
    struct config_memory *memory = calloc(1, sizeof(*memory));
    if (memory == NULL) {
        return NULL;
    }
    memory->config.memory = memory;
    memory->secrets.locked = true;
    memory->config.file = config_arena_copy(&memory->plain, path, strlen(path));
    if (memory->config.file == NULL) {
        config_free(&memory->config);
        return NULL;
    }
    return memory;
}

struct config *config_from_tree(const char *path, const struct yaml_tree *tree, struct diagnostics *diagnostics)
{
    struct config_memory *memory = open_memory(path);
    if (memory == NULL) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, (struct diagnostics_place){.file = path}, "out of memory");
        return NULL;
    }
    struct config *config = &memory->config;
    struct config_reading reading = {
        .tree = tree, .file = config->file, .memory = &memory->plain, .diagnostics = diagnostics};
    if (!config_section_set_defaults(&reading, "", config)) {
        config_free(config);
        return NULL;
    }
    config_section_read(&reading, "", yaml_tree_root(tree), config);
    config_check_consistency(&reading, config);
    return config;
}

struct config *config_read(const char *path, struct diagnostics *diagnostics)
{
    struct yaml_tree *tree = yaml_tree_load(path, false, diagnostics);
    if (tree == NULL) {
        return NULL;
    }
    struct config *config = config_from_tree(path, tree, diagnostics);
    yaml_tree_free(tree);
    return config;
}

/* One that cannot be read becomes none: nobody shall take it for an empty one. */
static void load_secret(struct config *config, struct config_secret *secret, const char *path,
                        struct diagnostics *diagnostics)
{
    if (!config_secret_load(secret, path, config->psk.insecure_permissions, &config->memory->secrets, diagnostics)) {
        *secret = (struct config_secret){.kind = CONFIG_SECRET_NONE};
    }
}

struct config *config_examine(const char *path, struct diagnostics *diagnostics)
{
    struct config *config = config_read(path, diagnostics);
    if (config == NULL) {
        return NULL;
    }
    load_secret(config, &config->psk.master_secret, "psk.master_secret", diagnostics);
    load_secret(config, &config->psk.previous_master_secret, "psk.previous_master_secret", diagnostics);
    return config;
}

struct config *config_load(const char *path, struct diagnostics *diagnostics)
{
    size_t errors = diagnostics_errors(diagnostics);
    struct config *config = config_examine(path, diagnostics);
    secret_memory_wipe_stack();
    if (diagnostics_errors(diagnostics) > errors) {
        config_free(config);
        return NULL;
    }
    return config;
}

void config_free(struct config *config)
{
    if (config != NULL) {
        struct config_memory *memory = config->memory;
        config_arena_free(&memory->secrets);
        config_arena_free(&memory->plain);
        free(memory);
    }
}

static void forget_variable(const struct config_secret *secret)
{
    char *value = secret->kind == CONFIG_SECRET_ENVIRONMENT ? getenv(secret->name) : NULL;
    if (value != NULL) {
        explicit_bzero(value, strlen(value));
        unsetenv(secret->name);
    }
}

void config_forget_environment(const struct config *config)
{
    forget_variable(&config->psk.master_secret);
    forget_variable(&config->psk.previous_master_secret);
}

bool config_backend_serves(const struct config_backend *backend, const uint8_t device[CONFIG_DEVICE_ID_SIZE])
{
    for (size_t i = 0; i < backend->devices.count; i++) {
        if (config_pattern_matches(&backend->devices.items[i], device)) {
            return true;
        }
    }
    return false;
}
