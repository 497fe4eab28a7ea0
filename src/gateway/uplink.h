/* What comes from a device in a session: what libusmp says of it becomes an event, credit spent, a session moved or
 * ended. The order of each step is that of docs/design.md promise 2: credit, then the outbox, then acceptance.
 */
#ifndef GATEWAY_UPLINK_H
#define GATEWAY_UPLINK_H

#include <stdbool.h>

#include "gateway/session.h"

enum uplink_verdict {
    UPLINK_DONE,    /* handled; the session goes on (lingering ones too) */
    UPLINK_NO_ROOM, /* not accepted: the same frame has to come again, the session is paused */
    UPLINK_ENDED,   /* the session is not live any more and may be gone */
};

/* A frame of the session; `path` is where it came from over UDP, else NULL. */
enum uplink_verdict uplink_frame(struct session *session, const struct usmp_frame *frame, const struct shard_path *path,
                                 struct shard_time now) __attribute__((warn_unused_result));

/* A UTACK. False: it is not for this session, another at the same address may be meant. */
bool uplink_utack(struct session *session, const uint8_t *bytes, size_t size, struct shard_time now)
    __attribute__((warn_unused_result));

#endif
