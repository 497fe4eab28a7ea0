/* The peer as a receiver: puts messages together as docs/protocol.md section 3 has it, and acknowledges. */
#ifndef FUZZ_LISTENER_H
#define FUZZ_LISTENER_H

#include "conversation/conversation.h"

/* An encrypted frame of the subject arrives. */
void listener_hear(struct conversation *conversation, const struct usmp_frame *frame, const uint8_t *plaintext,
                   size_t size, unsigned epoch, enum usmp_suite suite);

/* A UTACK of the peer leaves; the network may lose or hold it. */
void listener_acknowledge(struct conversation *conversation, const uint8_t *bytes, size_t size);
/* One that was held arrives. */
void listener_release(struct conversation *conversation, unsigned which);

/* What it held of a message is dropped. */
void listener_forget(struct conversation *conversation);

#endif
