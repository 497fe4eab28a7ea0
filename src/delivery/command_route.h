/* Where a command is: with the shard of its device's session, or waiting for a session (docs/backend.md, "send").
 *
 * A send with a `ttl` whose device has no session waits (delivery/waiting_messages.h) and goes to the shard with the
 * device's next `connected`. One that a shard hands back without having sent it, because its session has ended, waits
 * again or goes to the session that has taken its place. Nothing waits for a device that the directory knows to be
 * connected, so what comes for it meanwhile cannot overtake.
 */
#ifndef DELIVERY_COMMAND_ROUTE_H
#define DELIVERY_COMMAND_ROUTE_H

#include "delivery/directory.h"
#include "delivery/pending_command.h"

struct hub;

/* Hands it to the shard of the session. */
void command_route_to_session(struct hub *hub, struct pending_command *command, struct directory_session *session);

/* Has it wait. False: memory is short. */
bool command_route_wait(struct hub *hub, struct pending_command *command) __attribute__((warn_unused_result));

/* A session has begun: what waits for its device goes to its shard. */
void command_route_connected(struct hub *hub, struct directory_session *session);

enum command_route_verdict {
    COMMAND_ROUTED_AGAIN, /* it is under way again, or waits */
    COMMAND_ROUTE_ENDS,   /* its outcome, which may be another now, is to be answered */
};

/* A shard has handed it back. */
enum command_route_verdict command_route_back(struct hub *hub, struct pending_command *command)
    __attribute__((warn_unused_result));

/* Ends everything that waits, as expired: no device connects any more. */
void command_route_end_waiting(struct hub *hub);

/* The timer for what waits. */
void command_route_open(struct hub *hub);
void command_route_close(struct hub *hub);

#endif
