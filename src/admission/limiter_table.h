/* A table by key in memory that is allocated once: what a stranger can make it grow to is known at start.
 *
 * Keys are LIMITER_KEY_SIZE bytes, hashed with a key of the process. What is kept under a key is the owner's: his
 * struct begins with a struct limiter_entry, and its size is given at the start; a new one is all zeros behind the
 * entry.
 *
 * An entry is either held (it counts something alive, or locks somebody out) and stays, or it may go: then the one that
 * was not used for longest makes room in a full table. Held ones have a list of their own, so no call looks at more than
 * one entry beside those of its hash bucket, however many are held.
 */
#ifndef ADMISSION_LIMITER_TABLE_H
#define ADMISSION_LIMITER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admission/limiter_key.h"

struct limiter_entry {
    struct limiter_key key;
    uint32_t next_in_bucket; /* indices + 1, 0 is none */
    uint32_t newer;
    uint32_t older;
    bool held;
};

struct limiter_table;

/* For objects of `size` bytes, a multiple of 8, that begin with a struct limiter_entry. NULL when memory is short.
 * `hash_key` is copied. */
struct limiter_table *limiter_table_open(uint32_t capacity, size_t size, const uint8_t hash_key[16])
    __attribute__((warn_unused_result));
void limiter_table_close(struct limiter_table *table);

/* The object of a key, or NULL. Does not count as use. */
void *limiter_table_find(struct limiter_table *table, const struct limiter_key *key);

/* The object of a key, made if need be, in a full table in the place of the one that is not held and was not used for
 * longest. NULL: every one is held. */
void *limiter_table_use(struct limiter_table *table, const struct limiter_key *key) __attribute__((warn_unused_result));

/* It stays until it is let go, and is the last of those that are held; also if it is held already. */
void limiter_table_hold(struct limiter_table *table, struct limiter_entry *entry);
/* The opposite: it is the first to go. */
void limiter_table_let_go(struct limiter_table *table, struct limiter_entry *entry);

/* The one that is held for longest, and the next after it; NULL at the end. */
void *limiter_table_first_held(const struct limiter_table *table);
void *limiter_table_next_held(const struct limiter_table *table, const struct limiter_entry *entry);

/* Makes room again; the object must not be used afterwards. */
void limiter_table_drop(struct limiter_table *table, struct limiter_entry *entry);

uint32_t limiter_table_count(const struct limiter_table *table);
uint32_t limiter_table_capacity(const struct limiter_table *table);

#endif
