#include "delivery/fair_share.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_SHARE 64u

_Static_assert(offsetof(struct fair_share_holder, device) == 0, "device_table.h finds the id there");
_Static_assert(sizeof(struct seam_denied_list) == 1 + 6 * SEAM_DENIED_MAX, "lists are compared byte by byte");

void fair_share_open(struct fair_share *share, uint64_t limit, const uint8_t key[static DEVICE_TABLE_KEY_SIZE])
{
    *share = (struct fair_share){.limit = limit};
    memcpy(share->key, key, sizeof share->key);
}

static void remove_holder(struct fair_share *share, struct fair_share_holder *holder)
{
    device_table_remove(&share->holders, holder->device);
    free(holder);
}

static void stop_counting(struct fair_share *share)
{
    /* Of those who were found when it ended; usually everything has left by then. */
    for (size_t i = 0; share->holders.count > 0 && i < share->holders.capacity; i++)
        free(share->holders.places[i]);
    device_table_close(&share->holders);
    share->counting = false;
    share->before = 0;
    share->counted = 0;
    share->heavy_count = 0;
}

void fair_share_close(struct fair_share *share)
{
    if (share->counting)
        stop_counting(share);
}

static uint64_t begin_at(const struct fair_share *share)
{
    uint64_t part = share->limit / BEGIN_SHARE;
    return part < FAIR_SHARE_BEGIN ? part : FAIR_SHARE_BEGIN;
}

/* False: it is not time yet, or memory is short and the next event is another chance. */
static bool begin_counting(struct fair_share *share, const struct event_queue *queue)
{
    if (queue->cost <= begin_at(share) || !device_table_open(&share->holders, share->key))
        return false;
    share->counting = true;
    share->before = queue->events - 1; /* all but the newest */
    return true;
}

static struct fair_share_holder *find_or_make(struct fair_share *share, const uint8_t device[static 6])
{
    struct fair_share_holder *found = device_table_find(&share->holders, device);
    if (found != NULL)
        return found;
    if (!device_table_reserve(&share->holders))
        return NULL;
    struct fair_share_holder *made = malloc(sizeof *made);
    if (made == NULL)
        return NULL;
    *made = (struct fair_share_holder){.bytes = 0};
    memcpy(made->device, device, sizeof made->device);
    device_table_insert(&share->holders, made);
    return made;
}

static void weigh(struct fair_share *share, struct fair_share_holder *holder)
{
    bool heavy = holder->bytes > share->limit / SEAM_DENIED_SHARE;
    if (heavy == holder->heavy)
        return;
    holder->heavy = heavy;
    if (heavy) {
        assert(share->heavy_count < SEAM_DENIED_MAX);
        share->heavy[share->heavy_count++] = holder;
        return;
    }
    unsigned place = 0;
    while (share->heavy[place] != holder)
        place++;
    share->heavy[place] = share->heavy[--share->heavy_count];
}

void fair_share_pushed(struct fair_share *share, const struct event_queue *queue, const struct seam_event *event)
{
    if (!share->counting && !begin_counting(share, queue))
        return;
    struct fair_share_holder *holder = find_or_make(share, event->device);
    if (holder == NULL)
        return;
    uint64_t cost = seam_event_cost(event->size);
    holder->bytes += cost;
    share->counted += cost;
    weigh(share, holder);
}

/* An event that found no memory is in nobody's count, but cannot be told from one that is; so a holder may be empty
 * before its last event has left. */
static void count_off(struct fair_share *share, const struct seam_event *event)
{
    struct fair_share_holder *holder = device_table_find(&share->holders, event->device);
    if (holder == NULL)
        return;
    uint64_t cost = seam_event_cost(event->size);
    if (cost > holder->bytes)
        cost = holder->bytes;
    holder->bytes -= cost;
    share->counted -= cost;
    weigh(share, holder);
    if (holder->bytes == 0)
        remove_holder(share, holder);
}

void fair_share_left(struct fair_share *share, const struct event_queue *queue, const struct seam_event *event)
{
    if (!share->counting)
        return;
    if (share->before > 0)
        share->before--;
    else
        count_off(share, event);
    if (queue->events == 0)
        stop_counting(share);
}

static bool is_above_average(const struct fair_share *share, const struct fair_share_holder *holder)
{
    return holder->bytes * share->holders.count > share->counted;
}

bool fair_share_decide(struct fair_share *share, bool is_half_full)
{
    struct seam_denied_list denied = {.count = 0};
    for (unsigned i = 0; is_half_full && i < share->heavy_count; i++) {
        if (is_above_average(share, share->heavy[i]))
            memcpy(denied.devices[denied.count++], share->heavy[i]->device, sizeof denied.devices[0]);
    }
    if (memcmp(&denied, &share->denied, sizeof denied) == 0)
        return false;
    share->denied = denied;
    return true;
}

void fair_share_check(const struct fair_share *share, const struct event_queue *queue)
{
    assert(share->counted <= queue->cost);
    assert(share->before <= queue->events);
    uint64_t sum = 0;
    unsigned heavy = 0;
    for (size_t i = 0; i < share->holders.capacity; i++) {
        const struct fair_share_holder *holder = share->holders.places[i];
        if (holder != NULL) {
            assert(holder->bytes > 0);
            sum += holder->bytes;
            heavy += holder->heavy;
        }
    }
    assert(sum == share->counted);
    assert(heavy == share->heavy_count);
}
