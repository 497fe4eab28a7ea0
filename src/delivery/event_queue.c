#include "delivery/event_queue.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define CHUNK_MAX 65536u
#define CHUNKS_PER_LIMIT 8u

/* An event with its payload behind it, or, with `lost`, the mark where that many are missing. */
struct record {
    struct seam_event event; /* of a mark: the time only */
    uint64_t lost;
};

_Static_assert(sizeof(struct record) <= SEAM_EVENT_OVERHEAD, "an event takes no more memory than it costs");

void event_queue_open(struct event_queue *queue, uint64_t limit)
{
    uint64_t chunk = limit / CHUNKS_PER_LIMIT;
    *queue = (struct event_queue){.next_id = 1};
    byte_fifo_open(&queue->records, chunk < CHUNK_MAX ? (size_t)chunk : CHUNK_MAX);
}

void event_queue_close(struct event_queue *queue)
{
    byte_fifo_close(&queue->records);
}

static void lose(struct event_loss *loss, uint64_t count, int64_t time)
{
    loss->count += count;
    loss->time = time;
}

static void append_record(struct event_queue *queue, const struct seam_event *event, uint64_t lost)
{
    struct record record;
    memset(&record, 0, sizeof record);
    record.event = *event;
    record.lost = lost;
    byte_fifo_append(&queue->records, &record, sizeof record);
}

bool event_queue_push(struct event_queue *queue, const struct seam_event *event, const uint8_t *payload)
{
    queue->pushed++;
    size_t mark_size = queue->newest.count > 0 ? sizeof(struct record) : 0;
    if (!byte_fifo_reserve(&queue->records, mark_size + sizeof(struct record) + event->size)) {
        bool behind = queue->events > 0;
        lose(behind ? &queue->newest : &queue->oldest, 1, event->time);
        queue->lost_within += behind;
        return false;
    }
    if (mark_size > 0) {
        append_record(queue, &(struct seam_event){.time = queue->newest.time}, queue->newest.count);
        queue->newest.count = 0;
    }
    append_record(queue, event, 0);
    byte_fifo_append(&queue->records, payload, event->size);
    queue->events++;
    queue->cost += seam_event_cost(event->size);
    return true;
}

/* Losses that nothing waits in front of any more. */
static void bring_forward(struct event_queue *queue, uint64_t count, int64_t time)
{
    assert(queue->lost_within >= count);
    queue->lost_within -= count;
    lose(&queue->oldest, count, time);
}

/* The oldest event, which stays. What is missing before it becomes a loss before everything. */
static bool peek_event(struct event_queue *queue, struct record *record)
{
    while (queue->events > 0) {
        byte_fifo_copy(&queue->records, record, sizeof *record);
        if (record->lost == 0)
            return true;
        byte_fifo_drop(&queue->records, sizeof *record);
        bring_forward(queue, record->lost, record->event.time);
    }
    if (queue->newest.count > 0) {
        bring_forward(queue, queue->newest.count, queue->newest.time);
        queue->newest.count = 0;
    }
    return false;
}

static void remove_event(struct event_queue *queue, const struct record *record)
{
    queue->events--;
    queue->cost -= seam_event_cost(record->event.size);
}

static void take_lost(struct event_queue *queue, struct queued_event *out)
{
    uint64_t count = queue->oldest.count;
    out->id = queue->next_id + count;
    out->lost.count = count;
    out->lost.first = queue->next_id;
    out->lost.last = out->id - 1;
    out->lost.time = queue->oldest.time;
    queue->next_id = out->id + 1;
    queue->oldest.count = 0;
}

enum event_queue_verdict event_queue_take(struct event_queue *queue, struct queued_event *out)
{
    struct record record;
    bool waiting = peek_event(queue, &record);
    if (queue->oldest.count > 0) {
        take_lost(queue, out);
        return EVENT_QUEUE_LOST;
    }
    if (!waiting)
        return EVENT_QUEUE_EMPTY;
    byte_fifo_drop(&queue->records, sizeof record);
    out->id = queue->next_id++;
    out->event = record.event;
    byte_fifo_take(&queue->records, out->payload, record.event.size);
    remove_event(queue, &record);
    return EVENT_QUEUE_EVENT;
}

uint64_t event_queue_drop_oldest(struct event_queue *queue)
{
    struct record record;
    bool waiting = peek_event(queue, &record);
    assert(waiting);
    byte_fifo_drop(&queue->records, sizeof record + record.event.size);
    lose(&queue->oldest, 1, record.event.time);
    remove_event(queue, &record);
    return seam_event_cost(record.event.size);
}

bool event_queue_is_empty(const struct event_queue *queue)
{
    return queue->events == 0 && queue->oldest.count == 0 && queue->newest.count == 0;
}

uint64_t event_queue_left(const struct event_queue *queue)
{
    return queue->pushed - queue->events - queue->lost_within;
}
