/* Keys that stand twice in a mapping. */
#ifndef CONFIG_YAML_EQUAL_KEYS_H
#define CONFIG_YAML_EQUAL_KEYS_H

#include <stdbool.h>

#include "config/yaml_tree.h"

/* Calls `twice` for every node whose key another one before it has; `first` is the first of that key. In n log n steps,
 * since the devices of a registry are one mapping. False when memory is short. */
bool yaml_equal_keys_each(const struct yaml_node *mapping,
                          void (*twice)(void *context, const struct yaml_node *first, const struct yaml_node *second),
                          void *context) __attribute__((warn_unused_result));

#endif
