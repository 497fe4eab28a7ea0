#include "admission/limiter_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/siphash.h"

#define NONE 0u

/* In order of use, or of being held. */
struct list {
    uint32_t newest;
    uint32_t oldest;
};

struct limiter_table {
    uint8_t hash_key[CRYPTO_SIPHASH_KEY_SIZE];
    size_t size;
    uint32_t capacity;
    uint32_t count;
    uint32_t free_list;   /* through next_in_bucket */
    uint32_t used;        /* places that were ever taken: the rest of the memory has not been touched */
    struct list lists[2]; /* those that may go, those that are held */
    uint32_t bucket_mask;
    uint32_t *buckets;
    uint8_t *objects;
};

static uint32_t power_of_two_above(uint32_t number)
{
    uint32_t power = 1;
    while (power < number) {
        power *= 2;
    }
    return power;
}

struct limiter_table *limiter_table_open(uint32_t capacity, size_t size, const uint8_t hash_key[16])
{
    assert(capacity > 0 && capacity <= UINT32_MAX / 4);
    assert(size >= sizeof(struct limiter_entry) && size % 8 == 0);
    struct limiter_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    uint32_t buckets = power_of_two_above(capacity);
    memcpy(table->hash_key, hash_key, sizeof table->hash_key);
    table->size = size;
    table->capacity = capacity;
    table->bucket_mask = buckets - 1;
    table->buckets = calloc(buckets, sizeof(uint32_t));
    table->objects = calloc(capacity, size);
    if (table->buckets == NULL || table->objects == NULL) {
        limiter_table_close(table);
        return NULL;
    }
    return table;
}

void limiter_table_close(struct limiter_table *table)
{
    if (table == NULL) {
        return;
    }
    free(table->buckets);
    free(table->objects);
    free(table);
}

static struct limiter_entry *entry_at(const struct limiter_table *table, uint32_t index)
{
    return (struct limiter_entry *)(void *)(table->objects + (size_t)(index - 1) * table->size);
}

static uint32_t index_of(const struct limiter_table *table, const struct limiter_entry *entry)
{
    return (uint32_t)((size_t)((const uint8_t *)entry - table->objects) / table->size) + 1;
}

static uint32_t *bucket_of(struct limiter_table *table, const struct limiter_key *key)
{
    uint64_t hash = crypto_siphash(table->hash_key, key->bytes, sizeof key->bytes);
    return &table->buckets[hash & table->bucket_mask];
}

static void leave_list(struct limiter_table *table, struct limiter_entry *entry)
{
    struct list *list = &table->lists[entry->held];
    *(entry->newer == NONE ? &list->newest : &entry_at(table, entry->newer)->older) = entry->older;
    *(entry->older == NONE ? &list->oldest : &entry_at(table, entry->older)->newer) = entry->newer;
}

static void enter_as_newest(struct limiter_table *table, struct limiter_entry *entry)
{
    struct list *list = &table->lists[entry->held];
    uint32_t index = index_of(table, entry);
    entry->newer = NONE;
    entry->older = list->newest;
    *(list->newest == NONE ? &list->oldest : &entry_at(table, list->newest)->newer) = index;
    list->newest = index;
}

static void enter_as_oldest(struct limiter_table *table, struct limiter_entry *entry)
{
    struct list *list = &table->lists[entry->held];
    uint32_t index = index_of(table, entry);
    entry->older = NONE;
    entry->newer = list->oldest;
    *(list->oldest == NONE ? &list->newest : &entry_at(table, list->oldest)->older) = index;
    list->oldest = index;
}

void *limiter_table_find(struct limiter_table *table, const struct limiter_key *key)
{
    for (uint32_t index = *bucket_of(table, key); index != NONE;) {
        struct limiter_entry *entry = entry_at(table, index);
        if (memcmp(&entry->key, key, sizeof *key) == 0) {
            return entry;
        }
        index = entry->next_in_bucket;
    }
    return NULL;
}

static bool make_room(struct limiter_table *table)
{
    uint32_t oldest = table->lists[false].oldest;
    if (oldest == NONE) {
        return false;
    }
    limiter_table_drop(table, entry_at(table, oldest));
    return true;
}

static struct limiter_entry *take_place(struct limiter_table *table)
{
    if (table->free_list != NONE) {
        struct limiter_entry *entry = entry_at(table, table->free_list);
        table->free_list = entry->next_in_bucket;
        return entry;
    }
    assert(table->used < table->capacity);
    return entry_at(table, ++table->used);
}

void *limiter_table_use(struct limiter_table *table, const struct limiter_key *key)
{
    struct limiter_entry *entry = limiter_table_find(table, key);
    if (entry != NULL) {
        if (!entry->held) {
            leave_list(table, entry);
            enter_as_newest(table, entry);
        }
        return entry;
    }
    if (table->count == table->capacity && !make_room(table)) {
        return NULL;
    }
    entry = take_place(table);
    memset(entry, 0, table->size);
    uint32_t *bucket = bucket_of(table, key);
    entry->key = *key;
    entry->next_in_bucket = *bucket;
    *bucket = index_of(table, entry);
    enter_as_newest(table, entry);
    table->count++;
    return entry;
}

void limiter_table_hold(struct limiter_table *table, struct limiter_entry *entry)
{
    leave_list(table, entry);
    entry->held = true;
    enter_as_newest(table, entry);
}

void limiter_table_let_go(struct limiter_table *table, struct limiter_entry *entry)
{
    assert(entry->held);
    leave_list(table, entry);
    entry->held = false;
    enter_as_oldest(table, entry);
}

void *limiter_table_first_held(const struct limiter_table *table)
{
    uint32_t oldest = table->lists[true].oldest;
    return oldest == NONE ? NULL : entry_at(table, oldest);
}

void *limiter_table_next_held(const struct limiter_table *table, const struct limiter_entry *entry)
{
    assert(entry->held);
    return entry->newer == NONE ? NULL : entry_at(table, entry->newer);
}

void limiter_table_drop(struct limiter_table *table, struct limiter_entry *entry)
{
    uint32_t index = index_of(table, entry);
    uint32_t *place = bucket_of(table, &entry->key);
    while (*place != index) {
        assert(*place != NONE);
        place = &entry_at(table, *place)->next_in_bucket;
    }
    *place = entry->next_in_bucket;
    leave_list(table, entry);
    entry->next_in_bucket = table->free_list;
    table->free_list = index;
    table->count--;
}

uint32_t limiter_table_count(const struct limiter_table *table)
{
    return table->count;
}

uint32_t limiter_table_capacity(const struct limiter_table *table)
{
    return table->capacity;
}
