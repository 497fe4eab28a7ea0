/* HELLO and HELLO_ACK on a connection (docs/protocol.md section 2): one of each, in this order, or it is over. */
#ifndef GATEWAY_STREAM_HANDSHAKE_H
#define GATEWAY_STREAM_HANDSHAKE_H

#include <stdbool.h>

#include <usmp/frame.h>

#include "gateway/stream.h"

/* What has to come first, and what has to come then. False: the stream is closed. */
bool stream_receive_hello(struct shard_stream *stream, const struct usmp_frame *frame, struct shard_time now)
    __attribute__((warn_unused_result));
bool stream_receive_hello_ack(struct shard_stream *stream, const struct usmp_frame *frame, struct shard_time now)
    __attribute__((warn_unused_result));

/* The peer broke the protocol before there was a session: closes the stream, and counts it. */
void stream_fail(struct shard_stream *stream, struct shard_time now);

#endif
