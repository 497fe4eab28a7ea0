/* Holds back what we say to a device by ourselves, while it may be in the middle of a new handshake (docs/security.md
 * rule 16, docs/design/pausing.md).
 *
 * A device that restarted meets the old session's repeats at its old address and port, and gives its handshake up when
 * one comes (docs/protocol.md section 5). Answers still leave: they are what proves that somebody else is there.
 *
 * Whether a session is held follows from the handshakes that are pending where it is: one with a right cookie holds it
 * for as long as it is pending; one of wire 1, which anybody can forge, holds a session of wire 1 for at most
 * SESSION_HOLD_WIRE_1, once in SESSION_HOLD_AGAIN; one of wire 2 without a cookie never does. Over TCP nothing is held:
 * there is a connection for each.
 */
#ifndef GATEWAY_SESSION_HOLD_H
#define GATEWAY_SESSION_HOLD_H

#include <stdint.h>

#include "gateway/shard.h"

#define SESSION_HOLD_WIRE_1 UINT64_C(1500000) /* microseconds */
#define SESSION_HOLD_AGAIN UINT64_C(10000000)

struct pending;
struct session;

/* A handshake is pending now. */
void session_hold_begin(struct shard *shard, const struct pending *pending, struct shard_time now);

/* One at `path` is not pending any more: what was held for it goes on. */
void session_hold_end(struct shard *shard, const struct shard_path *path, struct shard_time now);

/* None is pending any more anywhere. */
void session_hold_end_all(struct shard *shard, struct shard_time now);

/* The session came to another path, or a hold may be over. Nothing leaves from any of these: session_run, which comes
 * in this turn. */
void session_hold_update(struct session *session, struct shard_time now);

/* When the hold by a handshake of wire 1 ends by itself; DEADLINE_NEVER without one. */
uint64_t session_hold_deadline(const struct session *session) __attribute__((warn_unused_result));

#endif
