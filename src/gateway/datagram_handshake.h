/* HELLO and HELLO_ACK over UDP: the rows about handshakes of the table "what the gateway answers" (docs/protocol.md
 * section 4), in the order of docs/security.md rule 8.
 */
#ifndef GATEWAY_DATAGRAM_HANDSHAKE_H
#define GATEWAY_DATAGRAM_HANDSHAKE_H

#include <stdbool.h>

#include <usmp/frame.h>

#include "gateway/shard.h"

/* Answers a late copy of the handshake of a session that is there already. True: it was one. */
bool datagram_is_late_copy(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                           struct shard_time now) __attribute__((warn_unused_result));

void datagram_receive_hello(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                            struct shard_time now);
void datagram_receive_hello_ack(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                                struct shard_time now);

#endif
