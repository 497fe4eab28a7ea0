/* One entry of `devices` (usmpd.yaml(5)): a mapping of key and settings, or a list of up to four such mappings for a
 * device that moves from one key to another. In a list each item has a key of its own, with `until` if it ends, and
 * settings stand in any one of them, each only once: they are the device's. */
#ifndef REGISTRY_DEVICE_ENTRY_H
#define REGISTRY_DEVICE_ENTRY_H

#include <stdbool.h>

#include "config/yaml_tree.h"
#include "registry/device_table.h"
#include "registry/entry_source.h"
#include "registry/keys.h"
#include "registry/psk_entry.h"

/* What entries are read into and held against. */
struct registry_entry_reader {
    struct registry_keys *keys;
    bool allow_development_psk;
    struct registry_psk_notices psk_notices;
    struct registry_notice v1_downlink;
    bool memory_short; /* an error was added, and the rest need not be read */
};

/* How many keys an entry can have at most, from its form. */
uint32_t registry_device_entry_keys(const struct yaml_node *entry);

/* Reads `entry` into a device that is new in its table. What is wrong becomes an error each. */
void registry_device_entry_read(struct registry_entry_reader *reader, const struct registry_entry_source *source,
                                const struct yaml_node *entry, struct registry_device *device);

/* Reads `default`, which has a key and nothing else. False after adding an error; the caller wipes `psk`. */
bool registry_default_entry_read(struct registry_entry_reader *reader, const struct registry_entry_source *source,
                                 const struct yaml_node *entry, struct registry_psk *psk)
    __attribute__((warn_unused_result));

#endif
