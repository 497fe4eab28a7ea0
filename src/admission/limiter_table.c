#include "admission/limiter_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/siphash.h"

#define NONE 0u
#define VICTIMS_LOOKED_AT 64u /* a full table must not cost a walk through all of it */

struct limiter_table {
    uint8_t hash_key[CRYPTO_SIPHASH_KEY_SIZE];
    uint32_t capacity;
    uint32_t count;
    uint32_t free_list; /* through next_in_bucket */
    uint32_t used;      /* places that were ever taken: the rest of the memory has not been touched */
    uint32_t newest;
    uint32_t oldest;
    uint32_t bucket_mask;
    uint32_t *buckets;
    struct limiter_entry *entries;
};

static uint32_t power_of_two_above(uint32_t number)
{
    uint32_t power = 1;
    while (power < number) {
        power *= 2;
    }
    return power;
}

struct limiter_table *limiter_table_open(uint32_t capacity, const uint8_t hash_key[16])
{
    assert(capacity > 0 && capacity <= UINT32_MAX / 4);
    struct limiter_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    uint32_t buckets = power_of_two_above(capacity);
    memcpy(table->hash_key, hash_key, sizeof table->hash_key);
    table->capacity = capacity;
    table->bucket_mask = buckets - 1;
    table->buckets = calloc(buckets, sizeof(uint32_t));
    table->entries = calloc(capacity, sizeof(struct limiter_entry));
    if (table->buckets == NULL || table->entries == NULL) {
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
    free(table->entries);
    free(table);
}

static struct limiter_entry *entry_at(const struct limiter_table *table, uint32_t index)
{
    return index == NONE ? NULL : &table->entries[index - 1];
}

static uint32_t index_of(const struct limiter_table *table, const struct limiter_entry *entry)
{
    return (uint32_t)(entry - table->entries) + 1;
}

static uint32_t *bucket_of(struct limiter_table *table, const struct limiter_key *key)
{
    uint64_t hash = crypto_siphash(table->hash_key, key->bytes, sizeof key->bytes);
    return &table->buckets[hash & table->bucket_mask];
}

static void leave_list(struct limiter_table *table, struct limiter_entry *entry)
{
    *(entry->newer == NONE ? &table->newest : &entry_at(table, entry->newer)->older) = entry->older;
    *(entry->older == NONE ? &table->oldest : &entry_at(table, entry->older)->newer) = entry->newer;
}

static void enter_list(struct limiter_table *table, struct limiter_entry *entry)
{
    uint32_t index = index_of(table, entry);
    entry->newer = NONE;
    entry->older = table->newest;
    *(table->newest == NONE ? &table->oldest : &entry_at(table, table->newest)->newer) = index;
    table->newest = index;
}

struct limiter_entry *limiter_table_find(struct limiter_table *table, const struct limiter_key *key)
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

static bool is_held(const struct limiter_entry *entry, uint64_t now)
{
    return entry->sessions > 0 || entry->handshakes > 0 || entry->locked_until > now;
}

/* The oldest that is not held. Held ones on the way are moved to the front, so that the next search does not meet
 * them again. */
static bool evict_oldest(struct limiter_table *table, uint64_t now)
{
    for (uint32_t looked_at = 0; looked_at < VICTIMS_LOOKED_AT && table->oldest != NONE; looked_at++) {
        struct limiter_entry *entry = entry_at(table, table->oldest);
        if (!is_held(entry, now)) {
            limiter_table_drop(table, entry);
            return true;
        }
        leave_list(table, entry);
        enter_list(table, entry);
    }
    return false;
}

static struct limiter_entry *take_place(struct limiter_table *table)
{
    if (table->free_list != NONE) {
        struct limiter_entry *entry = entry_at(table, table->free_list);
        table->free_list = entry->next_in_bucket;
        return entry;
    }
    assert(table->used < table->capacity);
    return &table->entries[table->used++];
}

struct limiter_entry *limiter_table_use(struct limiter_table *table, const struct limiter_key *key, uint64_t now)
{
    struct limiter_entry *entry = limiter_table_find(table, key);
    if (entry != NULL) {
        leave_list(table, entry);
        enter_list(table, entry);
        return entry;
    }
    if (table->count == table->capacity && !evict_oldest(table, now)) {
        return NULL;
    }
    entry = take_place(table);
    uint32_t *bucket = bucket_of(table, key);
    *entry = (struct limiter_entry){.key = *key, .next_in_bucket = *bucket};
    *bucket = index_of(table, entry);
    enter_list(table, entry);
    table->count++;
    return entry;
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

void limiter_table_each(const struct limiter_table *table,
                        void (*each)(void *context, const struct limiter_entry *entry), void *context)
{
    for (uint32_t index = table->newest; index != NONE;) {
        const struct limiter_entry *entry = entry_at(table, index);
        index = entry->older;
        each(context, entry);
    }
}
