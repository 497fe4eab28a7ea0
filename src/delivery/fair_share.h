/* Who holds how much of one backend's queue, and who gets no credit for it: docs/security.md rule 22,
 * docs/design/fair-share.md.
 *
 * While more than half of the queue is used, credit is denied to a device that has more than a sixteenth of the queue
 * in it and more than the average of all devices that have anything in it. Sessions are not told apart: what a device
 * left when it disconnected still counts.
 *
 * Counting begins when FAIR_SHARE_BEGIN bytes or a 64th of the queue wait, whichever is less, and ends when the queue
 * is empty; so where a backend keeps up it costs a comparison an event. What waited before the beginning is nobody's,
 * which is a quarter of what a device may hold in any case, at most. Where memory is short, events are nobody's too.
 *
 * Memory: 32 bytes and a place in a table for each device that has anything in the queue; less than what its events
 * take, so it is within the bound of the queue. The owner calls it for a queue that blocks only.
 */
#ifndef DELIVERY_FAIR_SHARE_H
#define DELIVERY_FAIR_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "delivery/device_table.h"
#include "delivery/event_queue.h"
#include "seam/denied.h"
#include "seam/event.h"

#define FAIR_SHARE_BEGIN 262144u /* bytes */

struct fair_share_holder {
    uint8_t device[6];
    bool heavy; /* more than a sixteenth of the queue */
    uint64_t bytes;
};

struct fair_share {
    uint64_t limit; /* of the queue */
    uint8_t key[DEVICE_TABLE_KEY_SIZE];
    bool counting;
    uint64_t before;             /* events in the queue that are older than the count */
    uint64_t counted;            /* bytes of all holders */
    struct device_table holders; /* while counting */
    struct fair_share_holder *heavy[SEAM_DENIED_MAX];
    unsigned heavy_count;
    struct seam_denied_list denied; /* as the shards were told */
};

/* `limit` of the queue in bytes; `key`: random bytes of this process. Allocates nothing yet. */
void fair_share_open(struct fair_share *share, uint64_t limit, const uint8_t key[static DEVICE_TABLE_KEY_SIZE]);
void fair_share_close(struct fair_share *share);

/* An event has been put into the queue. */
void fair_share_pushed(struct fair_share *share, const struct event_queue *queue, const struct seam_event *event);

/* An event has left the queue. */
void fair_share_left(struct fair_share *share, const struct event_queue *queue, const struct seam_event *event);

/* Decides who is denied credit now. True: share->denied is another than before, and the shards have to be told. */
bool fair_share_decide(struct fair_share *share, bool is_half_full) __attribute__((warn_unused_result));

/* Asserts that the books agree with the queue. */
void fair_share_check(const struct fair_share *share, const struct event_queue *queue);

#endif
