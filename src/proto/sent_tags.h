/* Wire 1 has one key and one sequence of nonces for both directions, so a frame of ours that somebody sends back to us
 * opens like one of the peer's. It is known by its seq and tag: docs/security.md rule 21. Internal to libusmp.
 */
#ifndef PROTO_SENT_TAGS_H
#define PROTO_SENT_TAGS_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/frame.h>
#include <usmp/session.h>

void usmp_sent_tags_init(struct usmp_sent_tags *tags);

/* `frame`: a whole encrypted frame of ours. Forgets the one that was sent 64 seqs before. */
void usmp_sent_tags_remember(struct usmp_sent_tags *tags, uint32_t seq, const uint8_t *frame, size_t size);

/* Whether a frame is one of the last 64 that were remembered. */
bool usmp_sent_tags_know(const struct usmp_sent_tags *tags, const struct usmp_frame *frame) USMP_MUST_USE;

#endif
