#include "gateway/key_pairs.h"

#include <usmp/keys.h>

#include "platform/secret_memory.h"

bool key_pairs_open(struct key_pairs *pairs)
{
    struct key_pair *memory = secret_memory_allocate(KEY_PAIRS_MAX * sizeof(struct key_pair), SECRET_MEMORY_KEYS);
    if (memory == NULL) {
        return false;
    }
    *pairs = (struct key_pairs){.pairs = memory};
    return true;
}

void key_pairs_close(struct key_pairs *pairs)
{
    secret_memory_free(pairs->pairs);
    *pairs = (struct key_pairs){0};
}

static void make(key_pairs_random *random, void *context, uint64_t now, struct key_pair *pair)
{
    random(context, pair->private_key, sizeof pair->private_key);
    usmp_public_key(pair->private_key, pair->public_key);
    pair->made = now;
}

/* The newest is handed out first, so everything below one that is too old is older still. */
static void drop_old(struct key_pairs *pairs, uint64_t now)
{
    if (pairs->count > 0 && now - pairs->pairs[pairs->count - 1].made >= KEY_PAIRS_AGE) {
        secret_memory_wipe(pairs->pairs, pairs->count * sizeof(struct key_pair));
        pairs->count = 0;
    }
}

void key_pairs_take(struct key_pairs *pairs, key_pairs_random *random, void *context, uint64_t now,
                    struct key_pair *out)
{
    drop_old(pairs, now);
    if (pairs->count > 0) {
        struct key_pair *pair = &pairs->pairs[--pairs->count];
        *out = *pair;
        secret_memory_wipe(pair, sizeof *pair);
    } else {
        make(random, context, now, out);
    }
    if (pairs->wanted < KEY_PAIRS_MAX) {
        pairs->wanted++;
    }
}

bool key_pairs_make(struct key_pairs *pairs, key_pairs_random *random, void *context, uint64_t now)
{
    drop_old(pairs, now);
    if (pairs->wanted > 0 && pairs->count < KEY_PAIRS_MAX) {
        make(random, context, now, &pairs->pairs[pairs->count++]);
        pairs->wanted--;
    }
    return pairs->wanted > 0 && pairs->count < KEY_PAIRS_MAX;
}
