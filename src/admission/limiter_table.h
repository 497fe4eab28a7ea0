/* A table of counters by key in memory that is allocated once: what a stranger can make it grow to is known at start.
 *
 * Keys are up to LIMITER_KEY_SIZE bytes, hashed with a key of the process. All entries are also in one list by last
 * use, so that a full table gives up what was not touched for longest; an entry can be held (it counts something
 * alive, or locks somebody out), and then it never goes.
 */
#ifndef ADMISSION_LIMITER_TABLE_H
#define ADMISSION_LIMITER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admission/token_bucket.h"

#define LIMITER_KEY_SIZE 24u

struct limiter_key {
    uint8_t bytes[LIMITER_KEY_SIZE]; /* what is shorter is filled up with zeros */
};

struct limiter_entry {
    struct limiter_key key;
    uint32_t next_in_bucket; /* indices + 1, 0 is none */
    uint32_t newer;
    uint32_t older;
    uint32_t sessions;      /* alive: they hold the entry */
    uint32_t handshakes;    /* alive: they hold the entry */
    uint32_t failures;      /* in a row */
    uint32_t contributed;   /* of a device at an address: how many of the address's failures are its own … */
    uint64_t counted_under; /* … since the address was last locked until then */
    uint64_t locked_until;  /* microseconds, monotonic; 0 or past: not locked */
    struct token_bucket bucket;
};

struct limiter_table;

/* NULL when memory is short. `hash_key` is copied. */
struct limiter_table *limiter_table_open(uint32_t capacity, const uint8_t hash_key[16])
    __attribute__((warn_unused_result));
void limiter_table_close(struct limiter_table *table);

/* The entry of a key, or NULL. Does not count as use. */
struct limiter_entry *limiter_table_find(struct limiter_table *table, const struct limiter_key *key);

/* The entry of a key, made if need be (all counters 0) in the place of the one that was not used for longest and is
 * not held at `now`. NULL: every entry is held. */
struct limiter_entry *limiter_table_use(struct limiter_table *table, const struct limiter_key *key, uint64_t now)
    __attribute__((warn_unused_result));

/* Makes room again; the entry must not be used afterwards. */
void limiter_table_drop(struct limiter_table *table, struct limiter_entry *entry);

uint32_t limiter_table_count(const struct limiter_table *table);
uint32_t limiter_table_capacity(const struct limiter_table *table);

/* Calls `each` for every entry, the one used last first. */
void limiter_table_each(const struct limiter_table *table,
                        void (*each)(void *context, const struct limiter_entry *entry), void *context);

#endif
