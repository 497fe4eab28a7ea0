/* What a shard counts, for metrics and the status line. Plain numbers, written by the shard only; whoever reads them
 * from another thread reads a copy.
 */
#ifndef GATEWAY_COUNTERS_H
#define GATEWAY_COUNTERS_H

#include <stdint.h>

enum shard_handshake_result {
    SHARD_HANDSHAKE_OK,
    SHARD_HANDSHAKE_BAD_PSK,
    SHARD_HANDSHAKE_UNKNOWN_DEVICE,
    SHARD_HANDSHAKE_TIMEOUT,
    SHARD_HANDSHAKE_PROTOCOL,
    SHARD_HANDSHAKE_LOCKED_OUT,
    SHARD_HANDSHAKE_LIMITED,
    SHARD_HANDSHAKE_RESULTS,
};

enum shard_drop {
    SHARD_DROP_MALFORMED, /* no frame: size, magic, version, type, length */
    SHARD_DROP_CRC,
    SHARD_DROP_UNKNOWN,       /* nothing here waits for it */
    SHARD_DROP_NOT_AUTHENTIC, /* a session it could be for, but it did not open; a UTACK with a wrong MAC */
    SHARD_DROP_UNEXPECTED,    /* not in this state */
    SHARD_DROP_DUPLICATE,     /* known before, or too old: answered, not delivered */
    SHARD_DROP_NO_ROOM,       /* not accepted yet: no credit or no memory */
    SHARD_DROP_COOKIE,        /* a HELLO with a wrong or old cookie */
    SHARD_DROP_CROWDED,       /* of a handshake: more waited than there was room for, and one went at random */
    SHARD_DROPS,
};

struct shard_counters {
    uint64_t handshakes[2][2][SHARD_HANDSHAKE_RESULTS]; /* [transport][wire − 1] */
    uint64_t sessions[2][2];                            /* live now */
    uint64_t messages_up;
    uint64_t messages_down;
    uint64_t bytes_up;
    uint64_t bytes_down;
    uint64_t dropped[SHARD_DROPS];
};

#endif
