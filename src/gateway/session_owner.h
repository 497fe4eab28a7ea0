/* What libusmp asks of the owner of its sessions: to send, and for memory. */
#ifndef GATEWAY_SESSION_OWNER_H
#define GATEWAY_SESSION_OWNER_H

#include <usmp/session.h>

struct shard;

/* The table for all sessions of a shard; the `user` of each is its struct session. */
struct usmp_session_owner session_owner(struct shard *shard);

#endif
