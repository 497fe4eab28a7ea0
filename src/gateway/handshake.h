/* What a handshake needs beside the protocol: random values, the registry, limits, and what its end leads to. The
 * same for TCP and UDP (docs/protocol.md section 2; docs/security.md rules 3, 4, 13, 17).
 */
#ifndef GATEWAY_HANDSHAKE_H
#define GATEWAY_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/gateway_handshake.h>

#include "gateway/counters.h"
#include "gateway/session.h"
#include "gateway/shard.h"

/* Draws key pair, nonce and session id and begins. */
void handshake_begin(struct shard *shard, struct usmp_gateway_handshake *handshake, enum usmp_transport transport,
                     uint8_t version, const struct usmp_hello *hello, unsigned repeats, struct shard_time now);

/* Whether this wire is accepted at all (which one a device may speak is told with the keys). */
bool handshake_takes_wire(const struct shard *shard, uint8_t version);

enum handshake_outcome {
    HANDSHAKE_SESSION, /* *session is live, SESSION_OK is on its way; the handshake is wiped */
    HANDSHAKE_WRONG,   /* no key fits, or its device is not to be let in: to the device it is all the same */
    HANDSHAKE_SPENT,   /* too many wrong ones before: not looked at */
    HANDSHAKE_REFUSED, /* right, but a limit, or a younger session, or no memory or credit; the handshake is over */
    HANDSHAKE_FORGED,  /* right, but the public key is one nobody can own; the handshake is over */
};

/* Where the peer of a handshake is. */
struct handshake_peer {
    const struct shard_path *path; /* UDP, else NULL */
    struct shard_stream *stream;   /* TCP, else NULL */
    const struct address *address; /* normalised */
    bool proved;
    uint32_t seq; /* of the HELLO_ACK: its UTACK leaves before SESSION_OK */
};

/* A HELLO_ACK. Counts its result, logs a failure of a proved address (after the answer, by the caller's order). */
enum handshake_outcome handshake_finish(struct shard *shard, struct usmp_gateway_handshake *handshake,
                                        const struct usmp_hello_ack *hello_ack, const struct handshake_peer *peer,
                                        struct shard_time now, struct session **session)
    __attribute__((warn_unused_result));

/* A failure of a proved address, for the lockout. `device` may be NULL: it has not said who it is. */
void handshake_count_failure(struct shard *shard, const struct address *peer, const uint8_t *device,
                             struct shard_time now);

void handshake_count(struct shard *shard, enum usmp_transport transport, uint8_t version,
                     enum shard_handshake_result result);

/* The line in the log: one for each failure of a proved address; the others are counted and told in one line an
 * interval, without an address (docs/security.md rule 15). `device` may be NULL. */
void handshake_log_failure(struct shard *shard, const struct address *peer, bool proved, const uint8_t *device,
                           const char *reason, struct shard_time now);

#endif
