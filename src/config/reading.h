/* A configuration file while it is being read: where values go, where messages go, which key it is about. */
#ifndef CONFIG_READING_H
#define CONFIG_READING_H

#include <stddef.h>

#include "config/arena.h"
#include "config/diagnostics.h"
#include "config/yaml_tree.h"

#define CONFIG_READING_PATH 192u

struct config_reading {
    const struct yaml_tree *tree;
    const char *file; /* the same as the tree's, but living as long as the configuration */
    struct config_arena *memory;
    struct diagnostics *diagnostics;
    char path[CONFIG_READING_PATH]; /* dotted, of the key that is being read: "backends[1].queue" */
};

/* Goes one part down ("limits", ".sessions", "[1]"); returns what config_reading_leave goes back with. */
size_t config_reading_enter(struct config_reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3), warn_unused_result));
void config_reading_leave(struct config_reading *reading, size_t back);

/* Where a node stands, for as long as the configuration lives; the file as a whole for a default. */
struct diagnostics_place config_reading_place(const struct config_reading *reading, const struct yaml_node *node);

/* Adds "path: message" at a node. */
void config_reading_error(struct config_reading *reading, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void config_reading_warning(struct config_reading *reading, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void config_reading_out_of_memory(struct config_reading *reading);

/* The node at a dotted path, or the deepest one on the way to it; NULL when nothing of it is in the file. */
const struct yaml_node *config_reading_find(const struct config_reading *reading, const char *path);

#endif
