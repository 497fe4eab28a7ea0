/* From a 64-bit key, which is as good as random, to a number: for what witnesses keep by session or address. */
#ifndef TESTS_HOSTILE_KEY_MAP_H
#define TESTS_HOSTILE_KEY_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "gateway/random_numbers.h"
#include "gateway/require.h"

#define KEY_MAP_NONE UINT32_MAX

struct key_map_entry {
    uint64_t key; /* 0: free */
    uint32_t value;
};

struct key_map {
    struct key_map_entry *entries;
    size_t mask; /* a power of two, less one */
    size_t count;
};

/* Never 0. */
static inline uint64_t key_map_hash(const void *bytes, size_t size)
{
    struct random_numbers hash = {.state = size};
    uint64_t key = 0;
    for (size_t index = 0; index < size; index++) {
        hash.state ^= (uint64_t)((const uint8_t *)bytes)[index] << (8 * (index % 8));
        if (index % 8 == 7 || index + 1 == size)
            key = random_next(&hash) ^ (key << 1);
    }
    return key == 0 ? 1 : key;
}

static inline struct key_map_entry *key_map_place(const struct key_map *map, uint64_t key)
{
    size_t index = key & map->mask;
    while (map->entries[index].key != 0 && map->entries[index].key != key)
        index = (index + 1) & map->mask;
    return &map->entries[index];
}

static inline uint32_t key_map_find(const struct key_map *map, uint64_t key)
{
    if (map->entries == NULL)
        return KEY_MAP_NONE;
    const struct key_map_entry *entry = key_map_place(map, key);
    return entry->key == 0 ? KEY_MAP_NONE : entry->value;
}

static inline void key_map_put(struct key_map *map, uint64_t key, uint32_t value)
{
    if (map->entries == NULL || map->count > map->mask / 2) {
        struct key_map grown = {.mask = map->entries == NULL ? 63 : map->mask * 2 + 1, .count = map->count};
        grown.entries = calloc(grown.mask + 1, sizeof *grown.entries);
        require(grown.entries != NULL);
        for (size_t index = 0; map->entries != NULL && index <= map->mask; index++) {
            if (map->entries[index].key != 0)
                *key_map_place(&grown, map->entries[index].key) = map->entries[index];
        }
        free(map->entries);
        *map = grown;
    }
    struct key_map_entry *entry = key_map_place(map, key);
    map->count += entry->key == 0;
    *entry = (struct key_map_entry){.key = key, .value = value};
}

static inline void key_map_free(struct key_map *map)
{
    free(map->entries);
    *map = (struct key_map){0};
}

#endif
