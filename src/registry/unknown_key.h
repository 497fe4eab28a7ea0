/* What to say about a key that does not exist. */
#ifndef REGISTRY_UNKNOWN_KEY_H
#define REGISTRY_UNKNOWN_KEY_H

#include <stddef.h>

#include "config/yaml_tree.h"
#include "registry/entry_source.h"

/* Adds an error at the key of `node`, with the one of `names` that may have been meant, or all of them. */
void registry_unknown_key(const struct registry_entry_source *source, const struct yaml_node *node,
                          const char *const *names, size_t count);

#endif
