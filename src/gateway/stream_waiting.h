/* Connections whose handshake is not read on because this turn's share for strangers is spent (gateway/strangers.h).
 * They go on in the order in which they came to wait. */
#ifndef GATEWAY_STREAM_WAITING_H
#define GATEWAY_STREAM_WAITING_H

#include <stdbool.h>

#include "gateway/shard.h"

struct shard_stream;

struct stream_waiting {
    struct shard_stream *first;
    struct shard_stream *last;
};

/* A frame of a handshake is there to be looked at. False: not in this turn, so the stream is not to be read; it goes on
 * by itself. */
bool stream_may_be_looked_at(struct shard_stream *stream, struct shard_time now) __attribute__((warn_unused_result));

/* It is over. Allowed whether it waits or not. */
void stream_leave_waiting(struct shard_stream *stream);

/* A new turn: has those go on who fit into `share`. Returns what of it they are expected to take. */
unsigned stream_let_go_on(struct shard *shard, unsigned share);

bool stream_any_waits(const struct shard *shard);

#endif
