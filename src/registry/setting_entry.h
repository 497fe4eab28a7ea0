/* The settings of an entry: each function reads one value, or adds an error and leaves the device as it was. */
#ifndef REGISTRY_SETTING_ENTRY_H
#define REGISTRY_SETTING_ENTRY_H

#include "config/yaml_tree.h"
#include "registry/device_table.h"
#include "registry/entry_source.h"

void registry_setting_revoked(const struct registry_entry_source *source, const struct yaml_node *node,
                              struct registry_device *device);
void registry_setting_session_timeout(const struct registry_entry_source *source, const struct yaml_node *node,
                                      struct registry_device *device);
void registry_setting_max_downlink(const struct registry_entry_source *source, const struct yaml_node *node,
                                   struct registry_device *device);
void registry_setting_wire(const struct registry_entry_source *source, const struct yaml_node *node,
                           struct registry_device *device);
void registry_setting_v1_downlink(const struct registry_entry_source *source, const struct yaml_node *node,
                                  struct registry_device *device);
void registry_setting_cipher(const struct registry_entry_source *source, const struct yaml_node *node,
                             struct registry_device *device);

/* Keeps nothing: it is for people. */
void registry_setting_note(const struct registry_entry_source *source, const struct yaml_node *node,
                           struct registry_device *device);

#endif
