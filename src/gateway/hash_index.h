/* An index over objects that live elsewhere: a chained hash table whose links are members of the objects.
 *
 * The caller computes the hash (keyed, where a stranger chooses the key: docs/security.md rule 25) and compares the
 * objects it finds. Several objects may have the same key, thousands if a stranger likes: that costs whoever looks for
 * them, but neither inserting nor removing. Inserting allocates only to grow the table and cannot fail: without memory
 * to grow, chains get longer.
 */
#ifndef GATEWAY_HASH_INDEX_H
#define GATEWAY_HASH_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct hash_link {
    struct hash_link *next;
    struct hash_link **from; /* the pointer that leads here */
    uint64_t hash;
};

struct hash_index {
    struct hash_link **buckets;
    size_t mask; /* number of buckets − 1 */
    size_t count;
};

enum hash_index_result {
    HASH_INDEX_OPEN,
    HASH_INDEX_NO_MEMORY,
};

enum hash_index_result hash_index_open(struct hash_index *index) __attribute__((warn_unused_result));
/* The objects are not touched. Also on an all-zero index. */
void hash_index_close(struct hash_index *index);

void hash_index_insert(struct hash_index *index, struct hash_link *link, uint64_t hash);
/* `link` must be in the index. */
void hash_index_remove(struct hash_index *index, struct hash_link *link);

/* The first link with this hash, and the next after `link`, in no order; NULL at the end. */
struct hash_link *hash_index_first(const struct hash_index *index, uint64_t hash);
struct hash_link *hash_index_next(const struct hash_link *link);

/* The object a link is a member of. */
#define HASH_INDEX_OBJECT(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

#endif
