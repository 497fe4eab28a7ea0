/* The value of one key: read from its node, compared, copied. What each type of the schema is in the file and in struct
 * config is decided here and, for lists, in config/list.h. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>

#include "config/arena.h"
#include "config/reading.h"
#include "config/schema.h"

/* Room for a value of any type but CONFIG_TYPE_BACKENDS. */
union config_value {
    max_align_t alignment;
    unsigned char bytes[256];
};

/* Reads `node`, at reading->path, into `value`, which has room for a value of the key's type and is untouched unless
 * the result is true. False after adding at least one error. Texts and lists are taken from the reading's memory.
 * Not for CONFIG_TYPE_BACKENDS (config/section.h). */
bool config_value_read(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                       void *value) __attribute__((warn_unused_result));

/* Not for secrets and backends, which config/reload.h compares and copies itself. */
bool config_value_equal(const struct config_key *key, const void *one, const void *other);

/* A copy whose texts and lists are in `memory`; false when that is short. */
bool config_value_copy(const struct config_key *key, struct config_arena *memory, const void *from, void *to)
    __attribute__((warn_unused_result));

#endif
