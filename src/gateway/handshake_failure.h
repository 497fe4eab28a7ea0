/* A handshake that failed: what is counted, what the lockout hears of it, and the line in the log (docs/security.md
 * rules 13 to 15).
 *
 * To be told once for each handshake, and after the answer to the device, so that the time does not tell it why (rule
 * 4). Refusals by a limit, time-outs and clean disconnects are no failures.
 */
#ifndef GATEWAY_HANDSHAKE_FAILURE_H
#define GATEWAY_HANDSHAKE_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/wire.h>

#include "gateway/counters.h"
#include "gateway/shard.h"
#include "registry/match.h"

struct handshake_failure {
    enum usmp_transport transport;
    uint8_t version;
    struct address peer; /* normalised */
    bool proved;         /* otherwise it counts for nobody's lockout, and its line has no address */
    bool device_known;   /* it has said who it is */
    uint8_t device[USMP_DEVICE_ID_SIZE];
    enum shard_handshake_result result;
    const char *reason; /* a literal */
};

/* What a HELLO_ACK that was not accepted makes of it. */
void handshake_failure_is(struct handshake_failure *failure, enum registry_verdict verdict);
void handshake_failure_is_protocol(struct handshake_failure *failure);

void handshake_failed(struct shard *shard, const struct handshake_failure *failure, struct shard_time now);

/* Counts any result, also those that are no failure. */
void handshake_count(struct shard *shard, enum usmp_transport transport, uint8_t version,
                     enum shard_handshake_result result);

#endif
