/* Datagrams under way between devices and a gateway: each is lost, delayed, doubled as the weather of the link has it,
 * and arrives at its time. Without weather all arrive at once, in the order in which they were sent. */
#ifndef TESTS_GATEWAY_LINK_H
#define TESTS_GATEWAY_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/random_numbers.h"
#include "gateway/shard.h"

struct packet {
    bool to_gateway;
    struct shard_path path; /* as the gateway sees it: the peer is the device */
    size_t size;
    uint8_t bytes[SHARD_DATAGRAM_MAX];
    uint64_t arrives;
    uint64_t order; /* which of those that arrive at one time is first */
};

/* Chances are in thousandths of the datagrams, delays in microseconds. */
struct weather {
    unsigned loss;
    unsigned doubling;
    uint64_t delay_min;
    uint64_t delay_max; /* different delays put datagrams out of order */
};

struct link {
    struct packet **heap; /* the first to arrive is on top */
    size_t count;
    size_t capacity;
    uint64_t order;
    struct weather weather;
    struct random_numbers numbers;
    /* Asked before the weather: true loses the datagram. NULL: none is lost for a test's sake. */
    bool (*loses)(void *context, const struct packet *packet);
    void *context;
};

/* The link is all zeros before; `seed` is for its weather. */
void link_open(struct link *link, uint64_t seed);
void link_close(struct link *link);

/* True when the datagram, or a copy of it, is on its way. */
bool link_send(struct link *link, bool to_gateway, const struct shard_path *path, const uint8_t *bytes, size_t size,
               uint64_t now);

/* When the next one arrives; UINT64_MAX when none is under way. */
uint64_t link_deadline(const struct link *link);

/* The next one that has arrived by `now`, or NULL. The caller frees it. */
struct packet *link_take(struct link *link, uint64_t now);

#endif
