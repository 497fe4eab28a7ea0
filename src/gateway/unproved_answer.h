/* What a HELLO over UDP without a cookie gets: a cookie to show, or a CHALLENGE (docs/security.md rules 10 and 11).
 *
 * Everything that leads to a cookie here may be brought about by forgery; a genuine device is asked for one more round
 * trip, and nobody is refused. Wire 1 has no cookies: when the budget is empty, it gets a CHALLENGE that is not
 * repeated.
 */
#ifndef GATEWAY_UNPROVED_ANSWER_H
#define GATEWAY_UNPROVED_ANSWER_H

#include <stdint.h>

#include "gateway/shard.h"

enum unproved_answer {
    UNPROVED_COOKIE,         /* HELLO_RETRY; no state is kept */
    UNPROVED_CHALLENGE,      /* with its repeats, which are taken out of the budget */
    UNPROVED_CHALLENGE_ONCE, /* without */
};

enum unproved_answer unproved_answer(struct shard *shard, const struct shard_path *path, uint8_t version,
                                     struct shard_time now) __attribute__((warn_unused_result));

#endif
