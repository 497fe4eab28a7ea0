/* Memory for one YAML tree: taken piece by piece, given back at once, wiped.
 *
 * Owner: the struct is its user's; yaml_arena_free wipes and frees everything taken from it. An arena that is all zero
 * but for `locked` is an empty one.
 */
#ifndef CONFIG_YAML_ARENA_H
#define CONFIG_YAML_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct yaml_arena_chunk;

struct yaml_arena {
    bool locked; /* takes secret memory: for values, which may be keys of devices */
    struct yaml_arena_chunk *newest;
};

/* Zeroed and aligned for any type; NULL when memory is short. */
void *yaml_arena_allocate(struct yaml_arena *arena, size_t size) __attribute__((warn_unused_result));

/* A copy of `length` bytes with a NUL behind them; NULL when memory is short. */
char *yaml_arena_copy(struct yaml_arena *arena, const void *bytes, size_t length) __attribute__((warn_unused_result));

void yaml_arena_free(struct yaml_arena *arena);

#endif
