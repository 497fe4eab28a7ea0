/* From libyaml's events to the nodes of a tree (config/yaml_tree.h says what is refused). */
#ifndef CONFIG_YAML_BUILDER_H
#define CONFIG_YAML_BUILDER_H

#include "config/arena.h"
#include "config/diagnostics.h"
#include "config/yaml_reader.h"
#include "config/yaml_tree.h"

/* Reads the one document of `reader`; an empty one gives an empty mapping. Nodes and keys are taken from `nodes`,
 * values from `values`. NULL when an error was added that leaves nothing to read. */
struct yaml_node *yaml_builder_run(struct yaml_reader *reader, struct config_arena *nodes, struct config_arena *values,
                                   struct diagnostics *diagnostics) __attribute__((warn_unused_result));

#endif
