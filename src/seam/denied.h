/* Devices that get no credit at the moment, because they hold more than their share of a backend's queue
 * (docs/security.md rule 22, docs/design/fair-share.md).
 *
 * The hub decides and tells the shards the whole list of a backend whenever it changes. It is short: each of these
 * devices holds more than a sixteenth of the queue. A device keeps its place in the list over the end of its session,
 * for as long as what it sent lies there.
 */
#ifndef SEAM_DENIED_H
#define SEAM_DENIED_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "seam/event.h"

#define SEAM_DENIED_SHARE 16u                    /* this part of a queue is what a device may hold in any case */
#define SEAM_DENIED_MAX (SEAM_DENIED_SHARE - 1u) /* no more can hold more than that each */

struct seam_denied_list {
    uint8_t count;
    uint8_t devices[SEAM_DENIED_MAX][6];
};

struct seam_denied {
    struct seam_denied_list lists[SEAM_BACKENDS_MAX];
};

static inline bool seam_denied_contains(const struct seam_denied_list *list, const uint8_t device[6])
{
    for (unsigned index = 0; index < list->count; index++) {
        if (memcmp(list->devices[index], device, sizeof list->devices[index]) == 0) {
            return true;
        }
    }
    return false;
}

#endif
