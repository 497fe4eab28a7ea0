#include "gateway/link.h"

#include <string.h>

#include "gateway/require.h"

void link_open(struct link *link, uint64_t seed)
{
    link->numbers = (struct random_numbers){.state = seed};
}

void link_close(struct link *link)
{
    for (size_t index = 0; index < link->count; index++)
        free(link->heap[index]);
    free(link->heap);
    *link = (struct link){0};
}

static bool is_before(const struct packet *one, const struct packet *other)
{
    return one->arrives != other->arrives ? one->arrives < other->arrives : one->order < other->order;
}

static void push(struct link *link, struct packet *packet)
{
    if (link->count == link->capacity) {
        link->capacity = link->capacity == 0 ? 64 : link->capacity * 2;
        link->heap = realloc(link->heap, link->capacity * sizeof(struct packet *));
        require(link->heap != NULL);
    }
    size_t position = link->count++;
    while (position > 0 && is_before(packet, link->heap[(position - 1) / 2])) {
        link->heap[position] = link->heap[(position - 1) / 2];
        position = (position - 1) / 2;
    }
    link->heap[position] = packet;
}

static struct packet *pop(struct link *link)
{
    struct packet *first = link->heap[0];
    struct packet *last = link->heap[--link->count];
    size_t position = 0;
    for (;;) {
        size_t child = position * 2 + 1;
        if (child >= link->count)
            break;
        if (child + 1 < link->count && is_before(link->heap[child + 1], link->heap[child]))
            child++;
        if (!is_before(link->heap[child], last))
            break;
        link->heap[position] = link->heap[child];
        position = child;
    }
    link->heap[position] = last;
    return first;
}

static uint64_t draw_delay(struct link *link)
{
    uint64_t spread = link->weather.delay_max - link->weather.delay_min;
    return link->weather.delay_min + (spread == 0 ? 0 : random_below(&link->numbers, spread + 1));
}

static void put_on_its_way(struct link *link, const struct packet *original, uint64_t now)
{
    struct packet *packet = malloc(sizeof *packet);
    require(packet != NULL);
    *packet = *original;
    packet->arrives = now + draw_delay(link);
    packet->order = link->order++;
    push(link, packet);
}

bool link_send(struct link *link, bool to_gateway, const struct shard_path *path, const uint8_t *bytes, size_t size,
               uint64_t now)
{
    require(size <= SHARD_DATAGRAM_MAX);
    struct packet packet = {.to_gateway = to_gateway, .path = *path, .size = size};
    memcpy(packet.bytes, bytes, size);
    if (link->loses != NULL && link->loses(link->context, &packet))
        return false;
    unsigned copies = random_chance(&link->numbers, link->weather.doubling) ? 2 : 1;
    bool any = false;
    for (unsigned copy = 0; copy < copies; copy++) {
        if (!random_chance(&link->numbers, link->weather.loss)) {
            put_on_its_way(link, &packet, now);
            any = true;
        }
    }
    return any;
}

uint64_t link_deadline(const struct link *link)
{
    return link->count == 0 ? UINT64_MAX : link->heap[0]->arrives;
}

struct packet *link_take(struct link *link, uint64_t now)
{
    return link_deadline(link) <= now ? pop(link) : NULL;
}
