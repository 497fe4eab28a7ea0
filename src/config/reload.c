#include "config/reload.h"

#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "config/secret.h"
#include "config/value.h"

struct reload {
    const struct config *running;
    struct config *next;
    struct config_changes *changes;
    struct diagnostics *diagnostics;
};

static void note(struct config_changes *changes, enum config_effect effect, const char *name)
{
    static const char more[] = ", …";
    char *text = changes->text[effect];
    size_t used = strlen(text);
    changes->count[effect]++;
    bool is_cut = used >= sizeof more && strcmp(text + used - (sizeof more - 1), more) == 0;
    if (is_cut) {
        return;
    }
    const char *separator = used == 0 ? "" : ", ";
    if (used + strlen(separator) + strlen(name) + sizeof more <= CONFIG_CHANGES_TEXT) {
        snprintf(text + used, CONFIG_CHANGES_TEXT - used, "%s%s", separator, name);
    } else {
        memcpy(text + used, more, sizeof more);
    }
}

static const void *value_in(const struct config_key *key, const void *base)
{
    return (const unsigned char *)base + key->offset;
}

static void note_changes_of_backend(const struct config_backend *running, const struct config_backend *read,
                                    size_t index, struct config_changes *changes)
{
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        if (config_schema_belongs(key, CONFIG_BACKEND_PREFIX) &&
            !config_value_equal(key, value_in(key, running), value_in(key, read))) {
            char name[CONFIG_NAME_MAX];
            snprintf(name, sizeof name, "backends[%zu].%s", index, key->name + strlen(CONFIG_BACKEND_PREFIX));
            note(changes, key->effect, name);
        }
    }
}

static bool copy_backend(struct config_arena *memory, const struct config_backend *from, struct config_backend *to)
{
    *to = *from;
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        if (config_schema_belongs(key, CONFIG_BACKEND_PREFIX) &&
            !config_value_copy(key, memory, value_in(key, from), (unsigned char *)to + key->offset)) {
            return false;
        }
    }
    return true;
}

/* Which backends there are changes at the next start only; false when memory is short. */
static bool keep_backends(struct reload *reload)
{
    const struct config_backends *running = &reload->running->backends;
    const struct config_backends *read = &reload->next->backends;
    bool same = running->count == read->count;
    if (!same) {
        note(reload->changes, CONFIG_EFFECT_NEXT_START, "backends");
    }
    for (size_t i = 0; same && i < running->count; i++) {
        note_changes_of_backend(&running->items[i], &read->items[i], i, reload->changes);
    }
    struct config_arena *memory = &reload->next->memory->plain;
    struct config_backend *items = config_arena_allocate(memory, running->count * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < running->count; i++) {
        if (!copy_backend(memory, &running->items[i], &items[i])) {
            return false;
        }
        items[i].place = same ? read->items[i].place : (struct diagnostics_place){.file = reload->next->file};
    }
    reload->next->backends.items = items;
    reload->next->backends.count = running->count;
    return true;
}

static bool is_fixed_at_start(const struct config_secret *secret)
{
    return secret->kind == CONFIG_SECRET_ENVIRONMENT || secret->kind == CONFIG_SECRET_CREDENTIAL;
}

static bool settle_secret(struct reload *reload, const char *name, const struct config_secret *running,
                          struct config_secret *read)
{
    struct config_memory *memory = reload->next->memory;
    bool same_source = config_secret_same_source(running, read);
    if (is_fixed_at_start(read)) {
        if (!same_source) {
            note(reload->changes, CONFIG_EFFECT_NEXT_START, name);
        }
        return config_secret_copy(running, &memory->plain, &memory->secrets, read);
    }
    /* A failure has been added. */
    if (!config_secret_load(read, name, reload->next->psk.insecure_permissions, &memory->secrets,
                            reload->diagnostics)) {
        return true;
    }
    if (!same_source || !config_secret_same_bytes(running, read)) {
        note(reload->changes, CONFIG_EFFECT_NOW, name);
    }
    return true;
}

static bool settle_key(struct reload *reload, const struct config_key *key)
{
    const void *running = value_in(key, reload->running);
    void *read = (unsigned char *)reload->next + key->offset;
    if (key->type == CONFIG_TYPE_BACKENDS) {
        return keep_backends(reload);
    }
    if (key->type == CONFIG_TYPE_SECRET) {
        return settle_secret(reload, key->name, running, read);
    }
    if (config_value_equal(key, running, read)) {
        return true;
    }
    note(reload->changes, key->effect, key->name);
    return key->effect != CONFIG_EFFECT_NEXT_START ||
           config_value_copy(key, &reload->next->memory->plain, running, read);
}

static void settle(struct reload *reload)
{
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        if (config_schema_belongs(key, "") && !settle_key(reload, key)) {
            diagnostics_add(reload->diagnostics, DIAGNOSTICS_ERROR,
                            (struct diagnostics_place){.file = reload->running->file}, "out of memory");
            return;
        }
    }
}

struct config *config_reload(const struct config *running, struct config_changes *changes,
                             struct diagnostics *diagnostics)
{
    size_t errors = diagnostics_errors(diagnostics);
    struct config *next = config_read(running->file, diagnostics);
    if (next == NULL) {
        return NULL;
    }
    struct config_changes found = {.count = {0}};
    if (diagnostics_errors(diagnostics) == errors) {
        struct reload reload = {.running = running, .next = next, .changes = &found, .diagnostics = diagnostics};
        settle(&reload);
    }
    if (diagnostics_errors(diagnostics) > errors) {
        config_free(next);
        return NULL;
    }
    *changes = found;
    return next;
}
