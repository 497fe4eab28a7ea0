/* Handshakes in progress over UDP: HELLO came, HELLO_ACK has not (docs/protocol.md section 4, docs/security.md
 * rules 9, 11, 13, 17).
 *
 * An address and port may have several (a device that restarted shows another public key); the HELLO_ACK's HMAC
 * chooses. A handshake whose address is proved holds a place in admission; the others may be forgeries, have the table
 * of gateway/unproved.h, and never take the place of a proved one.
 */
#ifndef GATEWAY_PENDING_H
#define GATEWAY_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/gateway_handshake.h>

#include "gateway/half_done.h"
#include "gateway/hash_index.h"
#include "gateway/shard.h"
#include "gateway/unproved.h"
#include "platform/deadlines.h"
#include "registry/match.h"

#define PENDING_PROVED_REPEATS 4u /* of CHALLENGE */

struct pending {
    struct usmp_gateway_handshake handshake;
    struct shard_path path;
    struct address peer; /* normalised, for limits */
    struct hash_link by_path;
    struct hash_link by_device;
    struct half_done half_done; /* of a proved one */
    struct deadline deadline;
    uint64_t expires;
    struct unproved_link unproved;
    bool proved;                 /* holds a place in admission */
    bool saw_wrong;              /* a wrong HELLO_ACK came */
    enum registry_verdict wrong; /* what was wrong with the first one */
};

struct pending_table {
    struct hash_index by_path;
    struct hash_index by_device;
    struct unproved unproved;
    size_t proved_count;
};

/* The table must be all zeros before. After a failure pending_close is still to be called. */
enum hash_index_result pending_open(struct pending_table *table) __attribute__((warn_unused_result));
void pending_close(struct shard *shard);

/* Begins one; for a proved address its place in admission is taken already, for another its repeats are paid for
 * (gateway/unproved.h), and both pass to it. NULL: memory is short. */
struct pending *pending_begin(struct shard *shard, const struct shard_path *path, uint8_t version,
                              const struct usmp_hello *hello, bool proved, struct shard_time now)
    __attribute__((warn_unused_result));

/* Its device has shown a cookie after all: it leaves the unproved. Its place in admission passes to it. */
void pending_prove(struct shard *shard, struct pending *pending, struct shard_time now);

/* The first at this path, and the next after it. */
struct pending *pending_first(const struct shard *shard, const struct shard_path *path);
struct pending *pending_next(const struct shard *shard, const struct pending *pending);

/* Sends its CHALLENGE (the same bytes each time). */
void pending_challenge(struct shard *shard, const struct pending *pending);

/* A wrong HELLO_ACK came; it stays. */
void pending_saw_wrong(struct pending *pending, enum registry_verdict wrong);

enum pending_outcome {
    PENDING_DECIDED,   /* by a right HELLO_ACK, of this handshake or of a younger one: wrong ones do not count */
    PENDING_UNDECIDED, /* a wrong HELLO_ACK that it saw is one failed handshake, however often it came (rule 13) */
};

/* It is over: gives back its place, wipes it. */
void pending_end(struct shard *shard, struct pending *pending, enum pending_outcome outcome, struct shard_time now);

/* Its time is over. */
void pending_expire(struct shard *shard, struct pending *pending, struct shard_time now);

/* Ends all of them, without a word to anybody. */
void pending_end_all(struct shard *shard);

/* Its deadline came: a repeat, or the end. */
void pending_due(struct shard *shard, struct pending *pending, struct shard_time now);

/* Ends those of a device that began before `begun`: newest wins. */
void pending_cancel_older(struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE], uint64_t begun,
                          struct shard_time now);

#endif
