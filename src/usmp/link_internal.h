/* What the files of a link share; link.h is the contract. */
#ifndef USMP_LINK_INTERNAL_H
#define USMP_LINK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/frame.h>

#include "usmp/link.h"

/* link.c */

/* It is over, for this reason unless there has been one. */
void link_finish(struct link *link, enum link_end end);
/* The same, for what errno says. */
void link_finish_with_error(struct link *link, int error);
bool link_is_over(const struct link *link) __attribute__((warn_unused_result));
/* The socket is ready: HELLO leaves. */
void link_begin_handshake(struct link *link, uint64_t now);
/* A frame goes to the device. */
void link_take_frame(struct link *link, const struct usmp_frame *frame, uint64_t now);
/* What the device made of something: messages go to the receiver, the link's state follows. */
void link_follow(struct link *link, enum usmp_session_verdict verdict, uint64_t now);

/* link_stream.c */

void link_stream_open(struct link *link);
void link_stream_send(struct link *link, const uint8_t *bytes, size_t size);
short link_stream_events(const struct link *link) __attribute__((warn_unused_result));
void link_stream_service(struct link *link, short events, uint64_t now);

/* link_datagram.c */

void link_datagram_send(struct link *link, const uint8_t *bytes, size_t size);
void link_datagram_service(struct link *link, short events, uint64_t now);

#endif
