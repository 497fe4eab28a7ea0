#include "config/section.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/default.h"
#include "config/schema.h"
#include "config/value.h"

static void *value_of(const struct config_key *key, void *base)
{
    return (unsigned char *)base + key->offset;
}

/* A list of `count` backends with defaults, or NULL after adding that memory is short. */
static struct config_backend *make_backends(struct config_reading *reading, size_t count)
{
    struct config_backend *items = config_arena_allocate(reading->memory, count * sizeof(*items));
    if (items == NULL) {
        config_reading_out_of_memory(reading);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!config_section_set_defaults(reading, CONFIG_BACKEND_PREFIX, &items[i])) {
            return NULL;
        }
        items[i].place = config_reading_place(reading, NULL);
    }
    return items;
}

bool config_section_set_defaults(struct config_reading *reading, const char *prefix, void *base)
{
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        if (!config_schema_belongs(key, prefix)) {
            continue;
        }
        if (key->type == CONFIG_TYPE_BACKENDS) {
            struct config_backends backends = {.items = make_backends(reading, 1), .count = 1};
            if (backends.items == NULL) {
                return false;
            }
            memcpy(value_of(key, base), &backends, sizeof backends);
        } else if (!config_default_read(reading, key, value_of(key, base))) {
            return false;
        }
    }
    return true;
}

static void read_backends(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                          void *value)
{
    if (node->kind != YAML_SEQUENCE) {
        config_reading_error(reading, node, "expected a list: each backend begins with \"- \"");
        return;
    }
    if (node->length < key->least || node->length > key->most) {
        config_reading_error(reading, node, "has %zu items, possible are %" PRIu64 " to %" PRIu64, node->length,
                             key->least, key->most);
        return;
    }
    struct config_backend *items = make_backends(reading, node->length);
    if (items == NULL) {
        return;
    }
    struct config_backends backends = {.items = items, .count = node->length};
    size_t index = 0;
    for (const struct yaml_node *item = node->first; item != NULL; item = item->next, index++) {
        size_t back = config_reading_enter(reading, "[%zu]", index);
        items[index].place = config_reading_place(reading, item);
        config_section_read(reading, CONFIG_BACKEND_PREFIX, item, &items[index]);
        if (item->kind != YAML_MAPPING && !yaml_tree_is_null(item)) {
            items[index].name = NULL;
            items[index].socket = NULL;
        }
        config_reading_leave(reading, back);
    }
    memcpy(value, &backends, sizeof backends);
}

/* Whether this version can do what the file asks for. */
static bool is_available(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                         const void *wanted)
{
    if (key->availability == CONFIG_AVAILABLE) {
        return true;
    }
    union config_value standard = {0};
    if (!config_default_read(reading, key, &standard)) {
        return false;
    }
    if (config_value_equal(key, wanted, &standard)) {
        return true;
    }
    if (key->availability == CONFIG_REFUSED) {
        config_reading_error(reading, node, "\"%.60s\" is not available in this version", node->text);
        return false;
    }
    uint32_t workers;
    memcpy(&workers, wanted, sizeof workers);
    if (key->type != CONFIG_TYPE_WORKERS || workers != CONFIG_WORKERS_AUTO) {
        config_reading_warning(reading, node, "not available in this version, ignored");
    }
    return true;
}

/* A default in the place of a wrong name or path would clash with others, or be looked for in vain. */
static bool has_no_stand_in(enum config_type type)
{
    return type == CONFIG_TYPE_NAME || type == CONFIG_TYPE_PATH || type == CONFIG_TYPE_PATHS;
}

static void read_key(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                     void *base)
{
    void *value = value_of(key, base);
    if (key->type == CONFIG_TYPE_BACKENDS) {
        read_backends(reading, key, node, value);
        return;
    }
    union config_value wanted = {0};
    if (config_value_read(reading, key, node, &wanted) && is_available(reading, key, node, &wanted)) {
        memcpy(value, &wanted, config_type_size(key->type));
    } else if (has_no_stand_in(key->type)) {
        memset(value, 0, config_type_size(key->type));
    }
}

static void refuse_unknown(struct config_reading *reading, const char *prefix, const struct yaml_node *child)
{
    struct yaml_node at_key = {.line = child->key_line, .column = child->key_column};
    const char *shown = yaml_tree_printable_key(child->key);
    bool will_be_kept = diagnostics_errors(reading->diagnostics) < DIAGNOSTICS_MAX;
    char name[CONFIG_NAME_MAX];
    char suggestion[CONFIG_NAME_MAX];
    snprintf(name, sizeof name, "%s%s", prefix, shown);
    if (will_be_kept && shown == child->key && config_schema_suggest(name, suggestion) != NULL) {
        config_reading_error(reading, &at_key, "unknown key (did you mean %s?)", suggestion);
    } else {
        config_reading_error(reading, &at_key, "unknown key");
    }
}

static void read_child(struct config_reading *reading, const char *prefix, const struct yaml_node *child, void *base)
{
    char name[CONFIG_NAME_MAX];
    int length = snprintf(name, sizeof name, "%s%s", prefix, child->key);
    bool possible = length > 0 && (size_t)length < sizeof name && strpbrk(child->key, ".[]") == NULL;
    const struct config_key *key = possible ? config_schema_find(name) : NULL;
    if (key != NULL) {
        read_key(reading, key, child, base);
    } else if (possible && config_schema_is_section(name)) {
        char section[CONFIG_NAME_MAX + 1];
        snprintf(section, sizeof section, "%s.", name);
        config_section_read(reading, section, child, base);
    } else {
        refuse_unknown(reading, prefix, child);
    }
}

void config_section_read(struct config_reading *reading, const char *prefix, const struct yaml_node *node, void *base)
{
    if (yaml_tree_is_null(node)) {
        return;
    }
    if (node->kind != YAML_MAPPING) {
        config_reading_error(reading, node, "expected keys with values (key: value)");
        return;
    }
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        const char *dot = reading->path[0] == '\0' ? "" : ".";
        size_t back = config_reading_enter(reading, "%s%s", dot, yaml_tree_printable_key(child->key));
        read_child(reading, prefix, child, base);
        config_reading_leave(reading, back);
    }
}
