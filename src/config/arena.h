/* Memory for one YAML tree or one configuration: taken piece by piece, given back at once, wiped.
 *
 * Owner: the struct is its user's; config_arena_free wipes and frees everything taken from it. An arena that is all zero
 * but for `locked` is an empty one.
 */
#ifndef CONFIG_ARENA_H
#define CONFIG_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct config_arena_chunk;

struct config_arena {
    bool locked; /* takes secret memory: for what may be keys of devices */
    struct config_arena_chunk *newest;
};

/* Zeroed and aligned for any type; NULL when memory is short. */
void *config_arena_allocate(struct config_arena *arena, size_t size) __attribute__((warn_unused_result));

/* A copy of `length` bytes with a NUL behind them; NULL when memory is short. */
char *config_arena_copy(struct config_arena *arena, const void *bytes, size_t length)
    __attribute__((warn_unused_result));

void config_arena_free(struct config_arena *arena);

#endif
