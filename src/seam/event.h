/* What a shard tells the hub: a session began, a message was accepted, a session ended.
 *
 * Events are flat records (no pointers to a session, no handles), so that the hub can be on another thread than the
 * shard. The hub gives them their ids; their order in the outbox is the order in which a backend sees them.
 *
 * Cost: every event takes seam_event_cost() bytes of credit from each backend it goes to (see seam/credit.h).
 */
#ifndef SEAM_EVENT_H
#define SEAM_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"

#define SEAM_BACKENDS_MAX 32u    /* a set of backends is a bit mask, bit n the n-th of the configuration */
#define SEAM_PAYLOAD_MAX 1808u   /* bytes; the longest message of the wire, docs/protocol.md section 3 */
#define SEAM_EVENT_OVERHEAD 256u /* bytes an event counts for beside its payload, docs/backend.md "queue" */

enum seam_event_kind {
    SEAM_CONNECTED, /* first of its session */
    SEAM_MESSAGE,
    SEAM_DISCONNECTED, /* last of its session; every session has exactly one */
};

enum seam_transport {
    SEAM_TCP,
    SEAM_UDP,
};

/* Why a session ended; the names backends see are in docs/backend.md. */
enum seam_reason {
    SEAM_BYE,
    SEAM_TIMEOUT,
    SEAM_REPLACED,
    SEAM_PROTOCOL,
    SEAM_PEER,
    SEAM_CLOSED,
    SEAM_REVOKED,
    SEAM_SHUTDOWN,
};

struct seam_event {
    enum seam_event_kind kind;
    enum seam_reason reason;       /* disconnected only */
    enum seam_transport transport; /* the three below: connected only */
    unsigned wire;                 /* 1 or 2 */
    struct address peer;           /* normalised */
    uint32_t backends;             /* whose event this is; never 0 */
    int64_t time;                  /* wall clock at acceptance, microseconds since 1970 UTC */
    uint8_t device[6];
    uint8_t session[16];
    uint16_t size; /* bytes of payload behind the record, 0 unless a message */
};

/* Credit an event with `payload` bytes takes from each of its backends. */
static inline uint64_t seam_event_cost(size_t payload)
{
    return SEAM_EVENT_OVERHEAD + payload;
}

#endif
