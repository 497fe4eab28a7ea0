#include "registry/load.h"

#include <assert.h>
#include <stdlib.h>

#include "platform/secret_memory.h"
#include "registry/file.h"
#include "registry/master_secret.h"
#include "registry/snapshot.h"

struct load {
    const struct config *config;
    struct diagnostics *diagnostics;
    struct registry *registry;
    struct registry_file_reader files;
    struct yaml_tree *trees[CONFIG_REGISTRY_FILES_MAX];
    size_t tree_count;
    size_t errors_before;
};

static bool is_wrong(const struct load *load)
{
    return diagnostics_errors(load->diagnostics) > load->errors_before;
}

static struct diagnostics_place configuration_place(const struct load *load)
{
    return (struct diagnostics_place){.file = load->config->file};
}

static void read_trees(struct load *load)
{
    const struct config_paths *files = &load->config->psk.registry;
    assert(files->count <= CONFIG_REGISTRY_FILES_MAX);
    for (size_t i = 0; i < files->count; i++) {
        struct yaml_tree *tree =
            yaml_tree_load(files->items[i], !load->config->psk.insecure_permissions, load->diagnostics);
        if (tree != NULL) {
            load->trees[load->tree_count] = tree;
            load->tree_count++;
        }
    }
}

static void free_trees(struct load *load)
{
    for (size_t i = 0; i < load->tree_count; i++) {
        yaml_tree_free(load->trees[i]);
    }
    load->tree_count = 0;
}

/* For everything that the files could mean, so that no key has to move while others are read. */
static bool make_room(struct load *load, const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE])
{
    struct registry_file_size size = {.devices = 0};
    for (size_t i = 0; i < load->tree_count; i++) {
        struct registry_file_size of_file = registry_file_measure(load->trees[i]);
        size.devices += of_file.devices;
        size.keys += of_file.keys;
    }
    if (size.devices > REGISTRY_DEVICES_MAX) {
        diagnostics_add(load->diagnostics, DIAGNOSTICS_ERROR, configuration_place(load),
                        "psk.registry has more than %u devices", REGISTRY_DEVICES_MAX);
        return false;
    }
    load->files.origins = calloc(size.devices > 0 ? size.devices : 1, sizeof(load->files.origins[0]));
    load->registry =
        registry_create((uint32_t)size.devices, (uint32_t)size.keys, boot_secret, load->config->wire.versions);
    if (load->files.origins == NULL || load->registry == NULL) {
        diagnostics_add(load->diagnostics, DIAGNOSTICS_ERROR, configuration_place(load),
                        "psk.registry cannot be loaded: out of memory");
        return false;
    }
    return true;
}

static void read_files(struct load *load)
{
    load->files.registry = load->registry;
    load->files.diagnostics = load->diagnostics;
    load->files.entries.keys = &load->registry->keys;
    load->files.entries.allow_development_psk = load->config->psk.allow_development_psk;
    for (size_t i = 0; i < load->tree_count && !load->files.entries.memory_short; i++) {
        registry_file_read(&load->files, load->trees[i]);
    }
    load->registry->weak_keys = load->files.entries.psk_notices.weak;
    load->registry->has_development_psk = load->files.entries.psk_notices.development.count > 0;
}

static void take_master_secret(struct load *load, enum registry_master which, const struct config_secret *secret,
                               const char *name)
{
    if (registry_master_secret_check(secret, name, load->diagnostics)) {
        crypto_hmac_key_init(&load->registry->secrets->masters[which], secret->bytes, secret->length);
        load->registry->has_master[which] = true;
    }
    if (secret->kind != CONFIG_SECRET_NONE && load->files.default_place.file != NULL) {
        diagnostics_add(load->diagnostics, DIAGNOSTICS_ERROR, load->files.default_place,
                        "default is not possible together with %s (%s:%u:%u)", name, secret->place.file,
                        secret->place.line, secret->place.column);
    }
}

static bool anybody_unlisted_is_accepted(const struct registry *registry)
{
    return registry->has_default || registry->has_master[REGISTRY_MASTER_CURRENT] ||
           registry->has_master[REGISTRY_MASTER_PREVIOUS];
}

static void warn(struct load *load)
{
    const struct registry *registry = load->registry;
    registry_psk_notices_tell(&load->files.entries.psk_notices, load->diagnostics);
    registry_notice_tell(&load->files.entries.v1_downlink, load->diagnostics,
                         "has v1_downlink: what goes to it over wire 1 is neither confidential nor authentic against "
                         "someone on the path");
    if (registry->has_default) {
        diagnostics_add(load->diagnostics, DIAGNOSTICS_WARNING, load->files.default_place,
                        "devices under default are not told apart: whoever knows its key can be any of them");
    }
    /* Where something is wrong, of the configuration too, more may be meant than what is here. */
    if (anybody_unlisted_is_accepted(registry) || diagnostics_errors(load->diagnostics) > 0) {
        return;
    }
    if (registry->keys.count == 0) {
        diagnostics_add(load->diagnostics, DIAGNOSTICS_WARNING, configuration_place(load),
                        "psk: there is no key of any device, no default and no master secret: every device will be "
                        "refused");
    } else {
        registry_notice_tell(&load->files.without_key, load->diagnostics,
                             "will be refused: it has no key, and there is neither default nor a master secret");
    }
}

/* The files' own copies of the keys are gone by now, and with them what they took of the limit. */
static void check_locked_memory(struct load *load)
{
    if (secret_memory_state(SECRET_MEMORY_KEYS).unlocked_bytes > 0) {
        registry_keys_relocate(&load->registry->keys);
    }
    struct secret_memory_state state = secret_memory_state(SECRET_MEMORY_KEYS);
    if (state.unlocked_bytes == 0) {
        return;
    }
    bool required = load->config->psk.require_locked_memory;
    diagnostics_add(load->diagnostics, required ? DIAGNOSTICS_ERROR : DIAGNOSTICS_WARNING, configuration_place(load),
                    "psk.require_locked_memory: %zu of %zu KiB of keys could not be locked and may be written to swap; "
                    "raise the limit on locked memory (LimitMEMLOCK= or ulimit -l)",
                    state.unlocked_bytes >> 10, state.mapped_bytes >> 10);
}

struct registry *registry_load(const struct config *config, const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE],
                               struct diagnostics *diagnostics)
{
    struct load load = {.config = config, .diagnostics = diagnostics, .errors_before = diagnostics_errors(diagnostics)};
    read_trees(&load);
    if (make_room(&load, boot_secret)) {
        read_files(&load);
        free_trees(&load);
        take_master_secret(&load, REGISTRY_MASTER_CURRENT, &config->psk.master_secret, "psk.master_secret");
        take_master_secret(&load, REGISTRY_MASTER_PREVIOUS, &config->psk.previous_master_secret,
                           "psk.previous_master_secret");
        warn(&load);
        check_locked_memory(&load);
    }
    free_trees(&load);
    free(load.files.origins);
    secret_memory_wipe_stack();
    if (is_wrong(&load)) {
        registry_release(load.registry);
        return NULL;
    }
    return load.registry;
}
