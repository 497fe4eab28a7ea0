/* What a handshake needs beside the protocol: random values, the registry, limits, and what its end leads to. The
 * same for TCP and UDP (docs/protocol.md section 2; docs/security.md rules 3, 4, 17).
 */
#ifndef GATEWAY_HANDSHAKE_H
#define GATEWAY_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/gateway_handshake.h>

#include "gateway/session.h"
#include "gateway/shard.h"
#include "registry/match.h"

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

struct handshake_end {
    struct session *session;     /* HANDSHAKE_SESSION */
    enum registry_verdict wrong; /* HANDSHAKE_WRONG: for gateway/handshake_failure.h, once the device has its answer */
};

/* A HELLO_ACK. Counts a session and a refusal; what is wrong or forged the caller counts, when it has answered. */
enum handshake_outcome handshake_finish(struct shard *shard, struct usmp_gateway_handshake *handshake,
                                        const struct usmp_hello_ack *hello_ack, const struct handshake_peer *peer,
                                        struct shard_time now, struct handshake_end *end)
    __attribute__((warn_unused_result));

/* Ends the handshakes of a device that began before `begun`, over UDP and TCP: newest wins. To be called when one has
 * become a session and is out of the tables itself. */
void handshake_cancel_older(struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE], uint64_t begun,
                            struct shard_time now);

#endif
