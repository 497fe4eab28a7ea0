#include "conversation/conversation.h"

#include "gateway/require.h"

void taken_clear(struct taken *taken)
{
    taken->count = 0;
    taken->highest = 0;
    taken->next = 0;
}

bool taken_has(const struct taken *taken, uint32_t seq)
{
    for (size_t index = taken->count; index-- > 0;)
        if (taken->seqs[index] == seq)
            return true;
    return false;
}

void taken_add(struct taken *taken, uint32_t seq)
{
    require(taken->count < CONVERSATION_SEQS);
    require(!taken_has(taken, seq));
    taken->seqs[taken->count++] = seq;
    if (seq > taken->highest)
        taken->highest = seq;
    taken->next = seq + 1;
}
