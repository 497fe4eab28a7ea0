#include "registry/keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "platform/secret_memory.h"

struct registry_key_block {
    struct crypto_hmac_key keys[REGISTRY_KEYS_PER_BLOCK];
};

static size_t blocks_for(uint32_t keys)
{
    return ((size_t)keys + REGISTRY_KEYS_PER_BLOCK - 1) / REGISTRY_KEYS_PER_BLOCK;
}

static struct registry_key_block *allocate_block(void)
{
    return secret_memory_allocate(sizeof(struct registry_key_block), SECRET_MEMORY_KEYS);
}

bool registry_keys_open(struct registry_keys *keys, uint32_t capacity)
{
    *keys = (struct registry_keys){0};
    if (capacity == 0) {
        return true;
    }
    keys->blocks = calloc(blocks_for(capacity), sizeof(keys->blocks[0]));
    keys->until = calloc(capacity, sizeof(keys->until[0]));
    if (keys->blocks == NULL || keys->until == NULL) {
        return false;
    }
    keys->capacity = capacity;
    return true;
}

void registry_keys_close(struct registry_keys *keys)
{
    for (size_t i = 0; i < blocks_for(keys->count); i++) {
        secret_memory_free(keys->blocks[i]);
    }
    free(keys->blocks);
    free(keys->until);
    *keys = (struct registry_keys){0};
}

bool registry_keys_add(struct registry_keys *keys, const uint8_t *psk, size_t size, int32_t until)
{
    assert(keys->count < keys->capacity);
    struct registry_key_block **block = &keys->blocks[keys->count / REGISTRY_KEYS_PER_BLOCK];
    if (*block == NULL) {
        *block = allocate_block();
        if (*block == NULL) {
            return false;
        }
    }
    crypto_hmac_key_init(&(*block)->keys[keys->count % REGISTRY_KEYS_PER_BLOCK], psk, size);
    keys->until[keys->count] = until;
    keys->count++;
    return true;
}

const struct crypto_hmac_key *registry_keys_get(const struct registry_keys *keys, uint32_t index)
{
    assert(index < keys->count);
    return &keys->blocks[index / REGISTRY_KEYS_PER_BLOCK]->keys[index % REGISTRY_KEYS_PER_BLOCK];
}

void registry_keys_relocate(struct registry_keys *keys)
{
    for (size_t i = 0; i < blocks_for(keys->count); i++) {
        struct registry_key_block *moved = allocate_block();
        if (moved == NULL) {
            return;
        }
        memcpy(moved, keys->blocks[i], sizeof(*moved));
        secret_memory_free(keys->blocks[i]);
        keys->blocks[i] = moved;
    }
}

size_t registry_keys_memory(const struct registry_keys *keys)
{
    return blocks_for(keys->capacity) * sizeof(keys->blocks[0]) + keys->capacity * sizeof(keys->until[0]) +
           blocks_for(keys->count) * sizeof(struct registry_key_block);
}
