/* The steps of loading that a start and a reload share; for config.c and reload.c. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/arena.h"
#include "config/config.h"
#include "config/diagnostics.h"
#include "config/reading.h"
#include "config/yaml_tree.h"

struct config_memory {
    struct config config;
    struct config_arena plain;
    struct config_arena secrets;
};

/* What the file at `path` says, without the bytes of secrets. Gives a configuration in spite of errors, as
 * config_examine does; NULL when memory is short. */
struct config *config_from_tree(const char *path, const struct yaml_tree *tree, struct diagnostics *diagnostics)
    __attribute__((warn_unused_result));

/* The same for the file itself. NULL when it cannot be read, too. */
struct config *config_read(const char *path, struct diagnostics *diagnostics) __attribute__((warn_unused_result));

/* What no single key can tell: keys that do not go together, and what is worth a warning. */
void config_check_consistency(struct config_reading *reading, const struct config *config);

#endif
