/* Lists of the configuration: read item by item, all mistakes in them reported, compared and copied whole.
 *
 * The lists of struct config all are a pointer to items and a count.
 */
#ifndef CONFIG_LIST_H
#define CONFIG_LIST_H

#include <stdbool.h>

#include "config/arena.h"
#include "config/reading.h"
#include "config/schema.h"

/* Whether values of the type are lists: paths, addresses, prefixes or patterns. */
bool config_list_is(enum config_type type);

/* As config_value_read, config_value_equal and config_value_copy. */
bool config_list_read(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                      void *value) __attribute__((warn_unused_result));
bool config_list_equal(const struct config_key *key, const void *one, const void *other);
bool config_list_copy(const struct config_key *key, struct config_arena *memory, const void *from, void *to)
    __attribute__((warn_unused_result));

#endif
