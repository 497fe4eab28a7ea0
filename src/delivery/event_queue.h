/* What waits for one backend: events, oldest first, and the places where events were lost.
 *
 * Ids: an event gets its id when it leaves the queue, be it taken or dropped, and so does the `lost` that tells of
 * dropped ones. So ids count up by one, without gaps, in the order of the stream: dropping the events 5 to 8 makes
 * the `lost` event 9, and what follows is 10. Losses that follow each other and have not been told yet are one `lost`.
 *
 * Events are lost in two ways: the owner drops the oldest, or there is no memory for a new one. Either is told at the
 * place where the events are missing.
 *
 * The queue counts; the bound is its owner's (delivery/credit_ledger.h). Memory: an event takes less than
 * seam_event_cost(), and beside that there are at most three chunks, each an eighth of the limit or 64 KiB.
 */
#ifndef DELIVERY_EVENT_QUEUE_H
#define DELIVERY_EVENT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "delivery/byte_fifo.h"
#include "seam/event.h"

/* Events that are missing at one place. */
struct event_loss {
    uint64_t count; /* 0: none */
    int64_t time;   /* of the newest of them */
};

struct event_queue {
    struct byte_fifo records;
    struct event_loss oldest; /* before all that waits */
    struct event_loss newest; /* behind all that waits */
    uint64_t next_id;         /* of what leaves next: an event, or the first of those lost before it */
    uint64_t events;          /* waiting */
    uint64_t cost;            /* of these, as seam_event_cost() has it */
    uint64_t lost_within;     /* events missing behind one that waits */
    uint64_t pushed;          /* events that ever came, also those that found no memory */
};

enum event_queue_verdict {
    EVENT_QUEUE_EMPTY,
    EVENT_QUEUE_EVENT,
    EVENT_QUEUE_LOST,
};

struct queued_event {
    uint64_t id;
    union {
        struct {
            struct seam_event event;
            uint8_t payload[SEAM_PAYLOAD_MAX];
        };
        struct {
            uint64_t count;
            uint64_t first; /* ids of the events that were lost */
            uint64_t last;
            int64_t time;
        } lost;
    };
};

/* `limit` in bytes of cost, at least 64 KiB: it sets the size of chunks only. */
void event_queue_open(struct event_queue *queue, uint64_t limit);
void event_queue_close(struct event_queue *queue);

/* False: memory is short, and the event counts as lost behind those that wait. */
bool event_queue_push(struct event_queue *queue, const struct seam_event *event, const uint8_t *payload)
    __attribute__((warn_unused_result));

/* What comes next, and removes it; `out` is set unless the queue is empty. */
enum event_queue_verdict event_queue_take(struct event_queue *queue, struct queued_event *out)
    __attribute__((warn_unused_result));

/* Makes the oldest waiting event a lost one; there must be one. Returns its cost. */
uint64_t event_queue_drop_oldest(struct event_queue *queue);

/* Whether event_queue_take() has nothing to hand out. */
bool event_queue_is_empty(const struct event_queue *queue);

/* How many of the events that ever came wait no more: once this has reached what `pushed` was at some moment, all
 * events of before have been taken, or are among those of the `lost` that comes next. */
uint64_t event_queue_left(const struct event_queue *queue);

#endif
