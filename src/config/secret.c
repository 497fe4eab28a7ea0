#include "config/secret.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/scalar.h"
#include "config/secret_file.h"
#include "platform/secret_memory.h"

#define LONGEST_NAME 255u

static const struct config_choice *find_source(const struct config_key *key, const char *name)
{
    for (const struct config_choice *choice = key->choices; choice->name != NULL; choice++) {
        if (strcmp(choice->name, name) == 0) {
            return choice;
        }
    }
    return NULL;
}

static const char *read_name(struct config_reading *reading, const struct yaml_node *node, unsigned kind)
{
    if (kind == CONFIG_SECRET_FILE) {
        return config_scalar_path(reading, node, 1, PATH_MAX - 1);
    }
    const char *name = config_scalar_copy(reading, node, 1, LONGEST_NAME);
    if (name == NULL) {
        return NULL;
    }
    if (kind == CONFIG_SECRET_ENVIRONMENT && strchr(name, '=') != NULL) {
        config_reading_error(reading, node, "is no name of an environment variable");
        return NULL;
    }
    bool is_path = strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    if (kind == CONFIG_SECRET_CREDENTIAL && is_path) {
        config_reading_error(reading, node, "is no name of a credential");
        return NULL;
    }
    return name;
}

bool config_secret_read(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                        void *value)
{
    struct config_secret secret = {.kind = CONFIG_SECRET_NONE};
    if (node->kind != YAML_MAPPING && !yaml_tree_is_null(node)) {
        config_reading_error(reading, node, "expected env: NAME, file: PATH or credential: NAME below it");
        return false;
    }
    bool fine = true;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        size_t back = config_reading_enter(reading, ".%s", yaml_tree_printable_key(child->key));
        const struct config_choice *source = find_source(key, child->key);
        if (source == NULL) {
            struct yaml_node at_key = {.line = child->key_line, .column = child->key_column};
            config_reading_error(reading, &at_key, "unknown key (env, file or credential is possible)");
            fine = false;
        } else if (secret.kind != CONFIG_SECRET_NONE) {
            config_reading_error(reading, child, "a second source: only one of env, file and credential is possible");
            fine = false;
        } else {
            secret.kind = (enum config_secret_kind)source->value;
            secret.name = read_name(reading, child, source->value);
            secret.place = config_reading_place(reading, child);
            fine = secret.name != NULL && fine;
        }
        config_reading_leave(reading, back);
    }
    if (fine) {
        memcpy(value, &secret, sizeof secret);
    }
    return fine;
}

static bool keep_bytes(struct config_secret *secret, const char *bytes, size_t length, const char *path,
                       struct config_arena *secrets, struct diagnostics *diagnostics)
{
    const char *copy = config_arena_copy(secrets, bytes, length);
    if (copy == NULL) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, secret->place, "%s: out of memory", path);
        return false;
    }
    secret->bytes = (const uint8_t *)copy;
    secret->length = length;
    return true;
}

static bool load_environment(struct config_secret *secret, const char *path, struct config_arena *secrets,
                             struct diagnostics *diagnostics)
{
    const char *value = getenv(secret->name);
    if (value == NULL) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, secret->place,
                        "%s.env: there is no environment variable of this name", path);
        return false;
    }
    size_t length = strlen(value);
    if (length > CONFIG_SECRET_MAX) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, secret->place, "%s.env: the variable is longer than %u bytes",
                        path, CONFIG_SECRET_MAX);
        return false;
    }
    return keep_bytes(secret, value, length, path, secrets, diagnostics);
}

static bool load_file(struct config_secret *secret, const char *path, const struct secret_file *file,
                      struct config_arena *secrets, struct diagnostics *diagnostics)
{
    size_t length;
    char *bytes = secret_file_read(file, CONFIG_SECRET_MAX + 1, &length, diagnostics);
    if (bytes == NULL) {
        return false;
    }
    if (length > 0 && bytes[length - 1] == '\n') {
        length--;
    }
    bool fine = false;
    if (length > CONFIG_SECRET_MAX) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, secret->place, "%s: longer than %u bytes", path,
                        CONFIG_SECRET_MAX);
    } else {
        fine = keep_bytes(secret, bytes, length, path, secrets, diagnostics);
    }
    secret_memory_free(bytes);
    return fine;
}

static bool load_named_file(struct config_secret *secret, const char *path, bool insecure, struct config_arena *secrets,
                            struct diagnostics *diagnostics)
{
    char key[64];
    snprintf(key, sizeof key, "%s.file", path);
    struct secret_file file = {.path = secret->name,
                               .access = insecure ? SECRET_FILE_ANY : SECRET_FILE_PRIVATE,
                               .key = key,
                               .place = secret->place};
    return load_file(secret, path, &file, secrets, diagnostics);
}

static bool load_credential(struct config_secret *secret, const char *path, struct config_arena *secrets,
                            struct diagnostics *diagnostics)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (folder == NULL || folder[0] != '/') {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, secret->place,
                        "%s.credential: there is no $CREDENTIALS_DIRECTORY; the service needs LoadCredential=", path);
        return false;
    }
    char key[64];
    snprintf(key, sizeof key, "%s.credential", path);
    char name[PATH_MAX];
    int length = snprintf(name, sizeof name, "%s/%s", folder, secret->name);
    if (length < 0 || (size_t)length >= sizeof name) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, secret->place, "%s.credential: its path is too long", path);
        return false;
    }
    struct secret_file file = {.path = name, .access = SECRET_FILE_PRIVATE, .key = key, .place = secret->place};
    return load_file(secret, path, &file, secrets, diagnostics);
}

bool config_secret_load(struct config_secret *secret, const char *path, bool insecure, struct config_arena *secrets,
                        struct diagnostics *diagnostics)
{
    switch (secret->kind) {
    case CONFIG_SECRET_ENVIRONMENT:
        return load_environment(secret, path, secrets, diagnostics);
    case CONFIG_SECRET_FILE:
        return load_named_file(secret, path, insecure, secrets, diagnostics);
    case CONFIG_SECRET_CREDENTIAL:
        return load_credential(secret, path, secrets, diagnostics);
    case CONFIG_SECRET_NONE:
        break;
    }
    return true;
}

bool config_secret_same_source(const struct config_secret *one, const struct config_secret *other)
{
    if (one->kind != other->kind) {
        return false;
    }
    return one->kind == CONFIG_SECRET_NONE || strcmp(one->name, other->name) == 0;
}

bool config_secret_same_bytes(const struct config_secret *one, const struct config_secret *other)
{
    if (one->length != other->length) {
        return false;
    }
    uint8_t difference = 0;
    for (size_t i = 0; i < one->length; i++) {
        difference |= one->bytes[i] ^ other->bytes[i];
    }
    return difference == 0;
}

bool config_secret_copy(const struct config_secret *from, struct config_arena *memory, struct config_arena *secrets,
                        struct config_secret *to)
{
    struct config_secret copy = {.kind = from->kind, .place = to->place, .length = from->length};
    if (from->kind != CONFIG_SECRET_NONE) {
        copy.name = config_arena_copy(memory, from->name, strlen(from->name));
        copy.bytes = (const uint8_t *)config_arena_copy(secrets, from->bytes, from->length);
        if (copy.name == NULL || copy.bytes == NULL) {
            return false;
        }
    }
    *to = copy;
    return true;
}
