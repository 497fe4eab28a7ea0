/* Keys of a section of the file, found in the schema and put where they belong in struct config. */
#ifndef CONFIG_SECTION_H
#define CONFIG_SECTION_H

#include <stdbool.h>

#include "config/reading.h"

/* Sets every key of `prefix` ("" or "backends[].") in the struct at `base` to its default. False after adding that
 * memory is short. */
bool config_section_set_defaults(struct config_reading *reading, const char *prefix, void *base)
    __attribute__((warn_unused_result));

/* Reads the mapping `node`, whose keys in the schema begin with `prefix`, into the struct at `base`, which holds the
 * defaults. What is wrong is added to the diagnostics, and its key keeps the default; names, paths, registry files and
 * secrets become nothing instead. */
void config_section_read(struct config_reading *reading, const char *prefix, const struct yaml_node *node, void *base);

#endif
