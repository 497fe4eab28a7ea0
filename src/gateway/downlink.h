/* Messages to a device: the commands that wait at its session, one on the wire at a time, in order.
 *
 * A command leaves with one outcome (seam/command.h): a device on UDP acknowledges, on TCP the kernel takes the
 * bytes, or the deadline passes, or the session ends.
 */
#ifndef GATEWAY_DOWNLINK_H
#define GATEWAY_DOWNLINK_H

#include <stdint.h>

#include "gateway/session.h"
#include "seam/command.h"

/* Takes a send for a live session; hands it back at once where it cannot be sent. session_run has to follow: it sends,
 * or hands back what came too late. */
void downlink_queue(struct session *session, struct seam_command *command);

/* Sends what may leave now. */
void downlink_start(struct session *session, struct shard_time now);

/* The device acknowledged the message that was out (UDP). */
void downlink_acknowledged(struct session *session);

/* The kernel has what was queued (TCP). */
void downlink_drained(struct session *session);

/* Hands back what is past its deadline. Wire 1 over UDP: libusmp ends the session with it, ask wire.state. */
void downlink_expire(struct session *session, uint64_t now);

/* The session ends: hands everything back. */
void downlink_abandon(struct session *session);

#endif
