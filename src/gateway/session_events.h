/* What the hub and the log hear of a session's life. */
#ifndef GATEWAY_SESSION_EVENTS_H
#define GATEWAY_SESSION_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/session.h"

/* False: memory is short, nothing was told. */
bool session_tell_connected(struct session *session, const struct usmp_session_start *start, struct shard_time now)
    __attribute__((warn_unused_result));

/* False: memory is short, nothing was told. The credit for it has been taken. */
bool session_tell_message(struct session *session, const uint8_t *bytes, size_t size, struct shard_time now)
    __attribute__((warn_unused_result));

/* Sets or clears `untold`: an end that finds no memory is owed, and its time is that of the end. */
void session_tell_disconnected(struct session *session, struct shard_time now);

/* Tells what is owed. False: memory is still short, and some of it is still owed. */
bool session_tell_owed(struct shard *shard, struct shard_time now) __attribute__((warn_unused_result));

#endif
