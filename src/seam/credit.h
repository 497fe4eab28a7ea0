/* Credit: how many bytes of events a shard may still accept for each backend.
 *
 * The hub owns the queues and their limits; it gives credit for what is free, the shard spends it before it accepts
 * anything, and what a backend has taken comes back as new credit. So "nothing accepted is lost" needs no question
 * and answer between them: without credit a message is simply not accepted yet (TCP is not read, UDP gets no
 * UTACK). What the hub has given and what it has queued never exceed a queue's limit together.
 *
 * A session takes the credit of its `disconnected` together with that of its `connected`, so its end can always be
 * told.
 */
#ifndef SEAM_CREDIT_H
#define SEAM_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "seam/event.h"

struct seam_credit {
    uint64_t bytes[SEAM_BACKENDS_MAX];
};

/* Walks a set of backends, lowest first: most have one member, and this is done for every message. */
#define SEAM_BACKENDS_EACH(index, backends)                                                                            \
    for (uint32_t rest_of_##index = (backends), index = 0;                                                             \
         rest_of_##index != 0 && ((index = (uint32_t)__builtin_ctz(rest_of_##index)), true);                           \
         rest_of_##index &= rest_of_##index - 1)

/* Takes `cost` from every backend of the set, or from none. */
static inline bool seam_credit_take(struct seam_credit *credit, uint32_t backends, uint64_t cost)
{
    SEAM_BACKENDS_EACH(index, backends) {
        if (credit->bytes[index] < cost) {
            return false;
        }
    }
    SEAM_BACKENDS_EACH(index, backends) {
        credit->bytes[index] -= cost;
    }
    return true;
}

/* Gives back what was taken and not spent after all. */
static inline void seam_credit_return(struct seam_credit *credit, uint32_t backends, uint64_t cost)
{
    SEAM_BACKENDS_EACH(index, backends) {
        credit->bytes[index] += cost;
    }
}

#endif
