/* Datagrams of handshakes that wait for their turn, in the order in which they came, in memory of a fixed size.
 *
 * When all places are taken, one that waits goes at random for each that comes: a flood cannot choose whom it pushes
 * out, and whoever comes late has as good a chance as whoever came early. Taking the newcomer instead would let those
 * who are first keep everybody else out.
 *
 * STRANGER_QUEUE_PLACES is what the gateway can work off in the 0.5 s after which a device repeats itself
 * (docs/protocol.md section 4): longer waiting would be for nothing.
 */
#ifndef GATEWAY_STRANGER_QUEUE_H
#define GATEWAY_STRANGER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/handshake_messages.h>

#include "gateway/shard.h"

#define STRANGER_QUEUE_PLACES 4096u
#define STRANGER_SIZE_MAX USMP_HELLO_COOKIE_FRAME /* bytes: the longest frame that a device begins or goes on with */

struct stranger {
    struct shard_path path;
    uint64_t came; /* microseconds, monotonic */
    uint16_t size;
    uint8_t bytes[STRANGER_SIZE_MAX];
};

struct stranger_place {
    struct stranger stranger;
    uint16_t before; /* places + 1; 0: none */
    uint16_t behind;
};

struct stranger_queue {
    struct stranger_place *places; /* STRANGER_QUEUE_PLACES */
    uint16_t first;                /* places + 1; 0: nobody waits */
    uint16_t last;
    uint16_t left;   /* places that were left, a list by `behind`; 0: none */
    uint16_t opened; /* places that were ever taken: the others have never been written to */
    size_t count;
};

/* False: memory is short. The queue must be all zeros before; stranger_queue_close is also right after a failure. */
bool stranger_queue_open(struct stranger_queue *queue) __attribute__((warn_unused_result));
void stranger_queue_close(struct stranger_queue *queue);

/* Whether the next one that comes pushes another out. */
bool stranger_queue_is_full(const struct stranger_queue *queue);

/* Puts one at the end, `size` at most STRANGER_SIZE_MAX. `chance` is a random number, used when the queue is full. */
void stranger_queue_put(struct stranger_queue *queue, const struct shard_path *path, const uint8_t *bytes, size_t size,
                        uint64_t now, uint32_t chance);

/* Copies the first one and takes it out. False: nobody waits. */
bool stranger_queue_take(struct stranger_queue *queue, struct stranger *taken) __attribute__((warn_unused_result));

#endif
