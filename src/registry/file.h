/* One registry file: its devices and its `default`, read into a snapshot that has room for them. */
#ifndef REGISTRY_FILE_H
#define REGISTRY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "config/diagnostics.h"
#include "config/yaml_tree.h"
#include "registry/device_entry.h"
#include "registry/entry_source.h"
#include "registry/snapshot.h"

/* Where a device is listed. */
struct registry_device_origin {
    const struct yaml_tree *tree;
    const struct yaml_node *entry;
};

/* What is carried on from file to file; every tree has to live until the last file is read. */
struct registry_file_reader {
    struct registry *registry;
    struct diagnostics *diagnostics;
    struct registry_entry_reader entries;
    struct registry_device_origin *origins; /* in the order of the table, as many as that has room for */
    struct diagnostics_place default_place; /* its file is NULL where there is no `default` */
    struct registry_notice without_key;     /* listed devices that have no key of their own and are not revoked */
};

struct registry_file_size {
    size_t devices;
    size_t keys;
};

/* How much room a file needs at most. */
struct registry_file_size registry_file_measure(const struct yaml_tree *tree);

/* Reads one file; what is wrong becomes an error each. Places keep pointing to the tree's file name. */
void registry_file_read(struct registry_file_reader *reader, const struct yaml_tree *tree);

#endif
