/* A node that must be a single value, as text. */
#ifndef CONFIG_SCALAR_H
#define CONFIG_SCALAR_H

#include <stdint.h>

#include "config/reading.h"

/* The text of a node, or NULL after adding why there is none: a list, nothing at all, a NUL byte in it. Belongs to the
 * tree. */
const char *config_scalar_text(struct config_reading *reading, const struct yaml_node *node);

/* The same for a number or a truth value, which stand without quotes: `what` names it. */
const char *config_scalar_plain(struct config_reading *reading, const struct yaml_node *node, const char *what);

/* A copy in the reading's memory of a text of `least` to `most` bytes; NULL after adding an error. */
const char *config_scalar_copy(struct config_reading *reading, const struct yaml_node *node, uint64_t least,
                               uint64_t most);

/* The same for a path: one that is not absolute is made relative to the folder of the file, but for "". */
const char *config_scalar_path(struct config_reading *reading, const struct yaml_node *node, uint64_t least,
                               uint64_t most);

/* Adds `path: "text" <what is wrong>`. */
void config_scalar_wrong(struct config_reading *reading, const struct yaml_node *node, const char *wrong);

#endif
