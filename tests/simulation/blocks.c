#include "simulation/blocks.h"

#include <assert.h>
#include <stdlib.h>

static const size_t block_size[] = {
    [USMP_BLOCK_MESSAGE] = USMP_MESSAGE_MAX,
    [USMP_BLOCK_REKEY] = sizeof(struct usmp_rekey_record),
    [USMP_BLOCK_REFLECTED] = sizeof(struct usmp_sent_tags),
};

void *blocks_take(struct blocks *blocks, enum usmp_block block)
{
    if (simulation_random_chance(blocks->random, blocks->shortage))
        return NULL;
    void *bytes = malloc(block_size[block]);
    assert(bytes != NULL);
    blocks->out++;
    return bytes;
}

void blocks_give(struct blocks *blocks, void *bytes)
{
    assert(bytes != NULL && blocks->out > 0);
    blocks->out--;
    free(bytes);
}
