/* Sessions before strangers: what belongs to handshakes waits until the sessions have had their turn, and gets a
 * bounded share of each (docs/design/sessions-first.md, docs/security.md rule 8).
 *
 * Over UDP every HELLO and HELLO_ACK that is no late copy of a live session's handshake waits in one of two queues: what
 * answers something of ours (HELLO_ACK, HELLO with a cookie), and the first words of those whom nobody knows. They take
 * turns, so a flood of first words does not hold up whoever is further. Over TCP a connection is simply not read while
 * the share is spent.
 *
 * The share is counted in units of about a microsecond of a small VM rather than in time, so that it is the same in a
 * test. What a step costs is charged where it is done, with strangers_spend. A HELLO_ACK where no handshake is pending
 * does not wait: anybody could fill a queue with those.
 *
 * Memory: fixed, see gateway/stranger_queue.h.
 */
#ifndef GATEWAY_STRANGERS_H
#define GATEWAY_STRANGERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/frame.h>

#include "gateway/shard.h"
#include "gateway/stranger_queue.h"

#define STRANGERS_SHARE 250u /* units a turn */

enum stranger_cost {
    STRANGER_COST_FRAME = 2,      /* looking at it: tables, limits, a cookie */
    STRANGER_COST_RETRY = 6,      /* making a cookie, and a datagram or two */
    STRANGER_COST_CHALLENGE = 50, /* half a key exchange, and two datagrams */
    STRANGER_COST_CHECK = 5,      /* the HMACs of a HELLO_ACK */
    STRANGER_COST_SESSION = 70,   /* the other half, keys, a session, and two datagrams */
};

struct strangers {
    struct stranger_queue answers;
    struct stranger_queue first_words;
    unsigned spent;         /* of this turn's share; the last step may go beyond it */
    bool first_words_later; /* whose turn it is */
    uint64_t hello_came;    /* the frame that is looked at now: "newest wins" goes by this (docs/security.md rule 17) */
};

/* False: memory is short. All zeros before; strangers_close is also right after a failure. */
bool strangers_open(struct strangers *strangers) __attribute__((warn_unused_result));
void strangers_close(struct strangers *strangers);

/* A HELLO or HELLO_ACK over UDP that no session knows; `bytes` are the whole frame. */
void strangers_wait(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                    const uint8_t *bytes, size_t size, struct shard_time now);

/* Charges this turn's share. */
void strangers_spend(struct shard *shard, enum stranger_cost cost);
/* Whether there is any of it left. */
bool strangers_may_spend(const struct shard *shard);

/* A turn: a new share, and as much work as it allows. True while more waits. */
bool strangers_work(struct shard *shard, struct shard_time now);

#endif
