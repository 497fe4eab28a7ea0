/* What a HELLO over UDP without a cookie gets: a cookie to show, or a CHALLENGE (docs/security.md rules 10 and 11).
 *
 * Everything that leads to a cookie here may be brought about by forgery; a genuine device is asked for one more round
 * trip, and nobody is refused. A CHALLENGE of wire 2 is taken out of the budget together with its repeats, so that they
 * are certain: a device that has the UTACK of its HELLO and no CHALLENGE may wait for ever. Wire 1 has no cookies, so it
 * gets its CHALLENGE whatever is in the budget, and repeats while that is at least half full.
 */
#ifndef GATEWAY_UNPROVED_ANSWER_H
#define GATEWAY_UNPROVED_ANSWER_H

#include <stdint.h>

#include "gateway/shard.h"

enum unproved_answer {
    UNPROVED_COOKIE,    /* HELLO_RETRY; no state is kept */
    UNPROVED_CHALLENGE, /* on wire 2 its repeats are paid for, and pass to the handshake that begins */
};

enum unproved_answer unproved_answer(struct shard *shard, const struct shard_path *path, uint8_t version,
                                     struct shard_time now) __attribute__((warn_unused_result));

#endif
