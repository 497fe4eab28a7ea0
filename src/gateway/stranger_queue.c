#include "gateway/stranger_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(STRANGER_QUEUE_PLACES < UINT16_MAX, "a place and none have a number each");

bool stranger_queue_open(struct stranger_queue *queue)
{
    queue->places = calloc(STRANGER_QUEUE_PLACES, sizeof *queue->places);
    return queue->places != NULL;
}

void stranger_queue_close(struct stranger_queue *queue)
{
    free(queue->places);
    *queue = (struct stranger_queue){0};
}

static struct stranger_place *place_at(const struct stranger_queue *queue, uint16_t number)
{
    assert(number != 0 && number <= queue->opened);
    return &queue->places[number - 1];
}

static void leave(struct stranger_queue *queue, uint16_t number)
{
    struct stranger_place *place = place_at(queue, number);
    *(place->before != 0 ? &place_at(queue, place->before)->behind : &queue->first) = place->behind;
    *(place->behind != 0 ? &place_at(queue, place->behind)->before : &queue->last) = place->before;
    place->behind = queue->left;
    queue->left = number;
    queue->count--;
}

/* The place that was left last is the one that is in the cache. */
static uint16_t free_place(struct stranger_queue *queue)
{
    if (queue->left != 0) {
        uint16_t number = queue->left;
        queue->left = place_at(queue, number)->behind;
        return number;
    }
    return ++queue->opened;
}

bool stranger_queue_is_full(const struct stranger_queue *queue)
{
    return queue->count == STRANGER_QUEUE_PLACES;
}

void stranger_queue_put(struct stranger_queue *queue, const struct shard_path *path, const uint8_t *bytes, size_t size,
                        uint64_t now, uint32_t chance)
{
    assert(size <= STRANGER_SIZE_MAX);
    if (stranger_queue_is_full(queue)) {
        leave(queue, (uint16_t)(1 + chance % STRANGER_QUEUE_PLACES));
    }
    uint16_t number = free_place(queue);
    struct stranger_place *place = place_at(queue, number);
    place->stranger.path = *path;
    place->stranger.came = now;
    place->stranger.size = (uint16_t)size;
    memcpy(place->stranger.bytes, bytes, size);
    place->behind = 0;
    place->before = queue->last;
    *(queue->last != 0 ? &place_at(queue, queue->last)->behind : &queue->first) = number;
    queue->last = number;
    queue->count++;
}

bool stranger_queue_take(struct stranger_queue *queue, struct stranger *taken)
{
    if (queue->first == 0) {
        return false;
    }
    *taken = place_at(queue, queue->first)->stranger;
    leave(queue, queue->first);
    return true;
}
