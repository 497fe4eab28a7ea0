#include "registry/file.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config/device_id.h"
#include "registry/unknown_key.h"

_Static_assert(REGISTRY_ID_SIZE == CONFIG_DEVICE_ID_SIZE, "one size of ids");
_Static_assert(sizeof("devices.") - 1 + CONFIG_DEVICE_ID_TEXT <= REGISTRY_ENTRY_NAME, "the name of an entry fits");

static const char *const top_names[] = {"devices", "default"};

struct registry_file_size registry_file_measure(const struct yaml_tree *tree)
{
    struct registry_file_size size = {.devices = 0};
    /* A key that stands twice is an error that the tree has told, and both are read. */
    for (const struct yaml_node *node = yaml_tree_root(tree)->first; node != NULL; node = node->next) {
        if (strcmp(node->key, "devices") != 0 || node->kind != YAML_MAPPING) {
            continue;
        }
        size.devices += node->length;
        for (const struct yaml_node *entry = node->first; entry != NULL; entry = entry->next) {
            size.keys += registry_device_entry_keys(entry);
        }
    }
    return size;
}

static void refuse_second(const struct registry_file_reader *reader, struct diagnostics_place place, const char *name,
                          struct diagnostics_place first)
{
    diagnostics_add(reader->diagnostics, DIAGNOSTICS_ERROR, place,
                    "%s stands here a second time: it is at %s:%u:%u too", name, first.file, first.line, first.column);
}

static void refuse_second_device(const struct registry_file_reader *reader, const struct yaml_tree *tree,
                                 const struct yaml_node *entry, const char *name,
                                 const struct registry_device_origin *first)
{
    /* The same text twice in one file is an error that the tree has told. */
    if (first->tree != tree || strcmp(first->entry->key, entry->key) != 0) {
        refuse_second(reader, yaml_tree_key_place(tree, entry), name, yaml_tree_key_place(first->tree, first->entry));
    }
}

static void read_device(struct registry_file_reader *reader, const struct yaml_tree *tree,
                        const struct yaml_node *entry)
{
    struct registry_device_table *table = &reader->registry->devices;
    uint8_t id[REGISTRY_ID_SIZE];
    if (!config_device_id_parse(entry->key, id)) {
        /* Not shown: it may be a key in the wrong place. */
        diagnostics_add(reader->diagnostics, DIAGNOSTICS_ERROR, yaml_tree_key_place(tree, entry),
                        "devices has a key that is no device id: 12 hex digits, all with ':' between the bytes or all "
                        "without");
        return;
    }
    struct registry_entry_source source = {.tree = tree, .diagnostics = reader->diagnostics};
    char id_text[CONFIG_DEVICE_ID_TEXT];
    config_device_id_format(id, id_text);
    snprintf(source.name, sizeof(source.name), "devices.%s", id_text);
    const struct registry_device *known = registry_device_table_find(table, id);
    if (known != NULL) {
        refuse_second_device(reader, tree, entry, source.name, &reader->origins[known - table->devices]);
        /* Read for what else is wrong with it. */
        struct registry_device second = {.session_timeout = REGISTRY_SESSION_TIMEOUT_GLOBAL};
        memcpy(second.id, id, sizeof(second.id));
        registry_device_entry_read(&reader->entries, &source, entry, &second);
        return;
    }
    reader->origins[table->count] = (struct registry_device_origin){.tree = tree, .entry = entry};
    struct registry_device *device = registry_device_table_add(table, id);
    registry_device_entry_read(&reader->entries, &source, entry, device);
    reader->registry->revoked += device->revoked;
    reader->registry->entry_wires |= device->wires;
    if (device->key_count == 0 && !device->revoked) {
        registry_notice_add(&reader->without_key, &source, entry);
    }
}

static void read_devices(struct registry_file_reader *reader, const struct yaml_tree *tree,
                         const struct yaml_node *devices)
{
    if (yaml_tree_is_null(devices)) {
        return;
    }
    if (devices->kind != YAML_MAPPING) {
        diagnostics_add(reader->diagnostics, DIAGNOSTICS_ERROR, yaml_tree_place(tree, devices),
                        "devices must be a mapping from device ids to entries");
        return;
    }
    const struct yaml_node *entry = devices->first;
    while (entry != NULL && !reader->entries.memory_short) {
        read_device(reader, tree, entry);
        entry = entry->next;
    }
}

static void read_default(struct registry_file_reader *reader, const struct yaml_tree *tree,
                         const struct yaml_node *entry)
{
    if (yaml_tree_is_null(entry)) {
        return;
    }
    struct diagnostics_place place = yaml_tree_key_place(tree, entry);
    if (reader->default_place.file != NULL) {
        refuse_second(reader, place, "default", reader->default_place);
        return;
    }
    reader->default_place = place;
    struct registry_entry_source source = {.tree = tree, .diagnostics = reader->diagnostics, .name = "default"};
    struct registry_psk psk;
    if (registry_default_entry_read(&reader->entries, &source, entry, &psk)) {
        crypto_hmac_key_init(&reader->registry->secrets->default_psk, psk.bytes, psk.size);
        reader->registry->has_default = true;
    }
    registry_psk_wipe(&psk);
}

void registry_file_read(struct registry_file_reader *reader, const struct yaml_tree *tree)
{
    const struct yaml_node *root = yaml_tree_root(tree);
    assert(root->kind == YAML_MAPPING);
    for (const struct yaml_node *node = root->first; node != NULL; node = node->next) {
        if (strcmp(node->key, "devices") == 0) {
            read_devices(reader, tree, node);
        } else if (strcmp(node->key, "default") == 0) {
            read_default(reader, tree, node);
        } else {
            struct registry_entry_source source = {.tree = tree, .diagnostics = reader->diagnostics};
            registry_unknown_key(&source, node, top_names, sizeof(top_names) / sizeof(top_names[0]));
        }
    }
}
