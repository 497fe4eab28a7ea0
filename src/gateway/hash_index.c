#include "gateway/hash_index.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_BUCKETS 64u

enum hash_index_result hash_index_open(struct hash_index *index)
{
    struct hash_link **buckets = calloc(FIRST_BUCKETS, sizeof(struct hash_link *));
    if (buckets == NULL) {
        return HASH_INDEX_NO_MEMORY;
    }
    *index = (struct hash_index){.buckets = buckets, .mask = FIRST_BUCKETS - 1};
    return HASH_INDEX_OPEN;
}

void hash_index_close(struct hash_index *index)
{
    free(index->buckets);
    *index = (struct hash_index){0};
}

static void push(struct hash_link **buckets, size_t mask, struct hash_link *link)
{
    struct hash_link **bucket = &buckets[link->hash & mask];
    link->next = *bucket;
    link->from = bucket;
    if (link->next != NULL) {
        link->next->from = &link->next;
    }
    *bucket = link;
}

static void grow(struct hash_index *index)
{
    size_t size = (index->mask + 1) * 2;
    struct hash_link **buckets = calloc(size, sizeof(struct hash_link *));
    if (buckets == NULL) {
        return;
    }
    for (size_t bucket = 0; bucket <= index->mask; bucket++) {
        for (struct hash_link *link = index->buckets[bucket], *next; link != NULL; link = next) {
            next = link->next;
            push(buckets, size - 1, link);
        }
    }
    free(index->buckets);
    index->buckets = buckets;
    index->mask = size - 1;
}

void hash_index_insert(struct hash_index *index, struct hash_link *link, uint64_t hash)
{
    if (index->count > index->mask) {
        grow(index);
    }
    link->hash = hash;
    push(index->buckets, index->mask, link);
    index->count++;
}

void hash_index_remove(struct hash_index *index, struct hash_link *link)
{
    assert(index->count > 0 && *link->from == link);
    *link->from = link->next;
    if (link->next != NULL) {
        link->next->from = link->from;
    }
    index->count--;
}

static struct hash_link *skip_to(struct hash_link *link, uint64_t hash)
{
    while (link != NULL && link->hash != hash) {
        link = link->next;
    }
    return link;
}

struct hash_link *hash_index_first(const struct hash_index *index, uint64_t hash)
{
    return skip_to(index->buckets[hash & index->mask], hash);
}

struct hash_link *hash_index_next(const struct hash_link *link)
{
    return skip_to(link->next, link->hash);
}
