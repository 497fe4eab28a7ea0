/* A master secret: which source the configuration names, and its bytes. No message ever holds what was written in the
 * place of a source's name, since that may be the secret itself. */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include <stdbool.h>

#include "config/arena.h"
#include "config/config.h"
#include "config/reading.h"
#include "config/schema.h"

/* As config_value_read: names the source, without reading it. `value` is a struct config_secret. */
bool config_secret_read(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                        void *value) __attribute__((warn_unused_result));

/* Reads the bytes from the source into `secrets`. False after adding an error that names `path`. */
bool config_secret_load(struct config_secret *secret, const char *path, bool insecure, struct config_arena *secrets,
                        struct diagnostics *diagnostics) __attribute__((warn_unused_result));

bool config_secret_same_source(const struct config_secret *one, const struct config_secret *other);
bool config_secret_same_bytes(const struct config_secret *one, const struct config_secret *other);

/* Source and bytes, but for the place, which stays that of `to`. False, and `to` untouched, when memory is short. */
bool config_secret_copy(const struct config_secret *from, struct config_arena *memory, struct config_arena *secrets,
                        struct config_secret *to) __attribute__((warn_unused_result));

#endif
