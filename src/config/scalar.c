#include "config/scalar.h"

#include <inttypes.h>
#include <string.h>

const char *config_scalar_text(struct config_reading *reading, const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR) {
        config_reading_error(reading, node, "expected one value, not %s",
                             node->kind == YAML_SEQUENCE ? "a list" : "keys with values");
        return NULL;
    }
    if (yaml_tree_is_null(node)) {
        config_reading_error(reading, node, "has no value; leave the key out for its default");
        return NULL;
    }
    if (strlen(node->text) != node->length) {
        config_reading_error(reading, node, "has a NUL byte in it");
        return NULL;
    }
    return node->text;
}

const char *config_scalar_plain(struct config_reading *reading, const struct yaml_node *node, const char *what)
{
    const char *text = config_scalar_text(reading, node);
    if (text != NULL && !node->plain) {
        config_reading_error(reading, node, "expected %s, not a text in quotes", what);
        return NULL;
    }
    return text;
}

static const char *copy(struct config_reading *reading, const struct yaml_node *node, const char *folder,
                        size_t folder_length, uint64_t least, uint64_t most)
{
    size_t length = folder_length + node->length;
    if (length < least) {
        config_reading_error(reading, node, "is empty");
        return NULL;
    }
    if (length > most) {
        config_reading_error(reading, node, "is too long: %zu bytes, at most %" PRIu64 " are possible", length, most);
        return NULL;
    }
    char *text = config_arena_allocate(reading->memory, length + 1);
    if (text == NULL) {
        config_reading_out_of_memory(reading);
        return NULL;
    }
    memcpy(text, folder, folder_length);
    memcpy(text + folder_length, node->text, node->length);
    return text;
}

const char *config_scalar_copy(struct config_reading *reading, const struct yaml_node *node, uint64_t least,
                               uint64_t most)
{
    if (config_scalar_text(reading, node) == NULL) {
        return NULL;
    }
    return copy(reading, node, "", 0, least, most);
}

const char *config_scalar_path(struct config_reading *reading, const struct yaml_node *node, uint64_t least,
                               uint64_t most)
{
    if (config_scalar_text(reading, node) == NULL) {
        return NULL;
    }
    bool relative = node->length > 0 && node->text[0] != '/';
    const char *slash = strrchr(reading->file, '/');
    size_t folder_length = relative && slash != NULL ? (size_t)(slash - reading->file) + 1 : 0;
    return copy(reading, node, reading->file, folder_length, least, most);
}

void config_scalar_wrong(struct config_reading *reading, const struct yaml_node *node, const char *wrong)
{
    config_reading_error(reading, node, "\"%.60s\" %s", node->text, wrong);
}
