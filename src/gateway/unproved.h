/* The handshakes in progress whose address may be forged (docs/security.md rules 9 and 11).
 *
 * They have a table of their own: whoever floods it meets others like himself there, and nobody who has shown a cookie.
 * A full table gives up one at random, so that a flood cannot choose whom it pushes out. While the table is more than
 * half full, one goes 3 s after its last HELLO; a genuine device repeats its HELLO sooner than that.
 *
 * Memory: UNPROVED_MAX handshakes, and UNPROVED_PATH_MAX at one address and port.
 */
#ifndef GATEWAY_UNPROVED_H
#define GATEWAY_UNPROVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/shard.h"
#include "platform/deadlines.h"

#define UNPROVED_MAX 16384u
#define UNPROVED_PATH_MAX 4u
#define UNPROVED_CROWDED_TIMEOUT UINT64_C(3000000) /* microseconds since the last HELLO */
#define UNPROVED_REPEATS 2u                        /* of CHALLENGE, by itself */
#define UNPROVED_SPARE 100u                        /* CHALLENGEs in the budget that no repeat of wire 1 takes */
#define UNPROVED_COPIES 8u                         /* of its HELLO that are answered; devices send five */

struct pending;

/* What a struct pending keeps for this table. */
struct unproved_link {
    size_t position;
    struct pending *before; /* in order of their last HELLO */
    struct pending *after;
    uint64_t last_hello;
    uint8_t copies_left;
    uint8_t booked; /* repeats that are taken out of the budget of CHALLENGEs already: wire 2 */
};

struct unproved {
    struct pending **places;
    size_t count;
    struct pending *first; /* whose last HELLO is the oldest */
    struct pending *last;
    struct deadline crowded; /* of the first, while the table is more than half full */
};

/* All zeros before. False: memory is short. */
bool unproved_open(struct unproved *unproved) __attribute__((warn_unused_result));
/* When it is empty, or was not opened. */
void unproved_close(struct unproved *unproved);

/* Gives up what has to go for one more at this path. */
void unproved_make_room(struct shard *shard, const struct shard_path *path, struct shard_time now);

/* A handshake enters when it begins, and leaves when it ends or its address is proved. What it has booked and not used
 * goes back. */
void unproved_enter(struct shard *shard, struct pending *pending, struct shard_time now);
void unproved_leave(struct shard *shard, struct pending *pending);

/* A copy of its HELLO came. False: it has had enough of them, and gets no answer. */
bool unproved_hello_again(struct shard *shard, struct pending *pending, struct shard_time now)
    __attribute__((warn_unused_result));

/* How many there are at an address and port. */
size_t unproved_at(const struct shard *shard, const struct shard_path *path);

/* Whether its CHALLENGE, whose time has come, may be repeated: it has booked that, or the budget is half full, which it
 * is not in a flood. */
bool unproved_may_repeat(struct shard *shard, struct pending *pending, struct shard_time now)
    __attribute__((warn_unused_result));

/* So many repeats are booked for a handshake that begins. */
unsigned unproved_booked(uint8_t version);

/* Its deadline came: those of whom nothing was heard go. */
void unproved_due(struct shard *shard, struct shard_time now);

#endif
