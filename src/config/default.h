/* Defaults: what the schema says as text, read as if it stood in the file. */
#ifndef CONFIG_DEFAULT_H
#define CONFIG_DEFAULT_H

#include <stdbool.h>

#include "config/reading.h"
#include "config/schema.h"

/* Reads the default of a key into `value`, which has room for a value of its type. False only when memory is short,
 * which has been added. Not for CONFIG_TYPE_BACKENDS. */
bool config_default_read(struct config_reading *reading, const struct config_key *key, void *value)
    __attribute__((warn_unused_result));

#endif
