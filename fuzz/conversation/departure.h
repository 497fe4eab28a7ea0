/* Frames of the subject on their way to the peer, and what must be true of each (docs/protocol.md sections 3 and 4):
 *
 * - one key, suite and seq seal one frame only; wire 1 and TCP leave out no seq
 * - without permission nothing encrypted leaves (docs/security.md rule 21), nor before SESSION_OK is confirmed, nor
 *   while paused
 * - one part of a message at a time, the next one when the one before is acknowledged
 * - the peer puts together nothing but messages that were sent, in their order; one that is reported as sent arrived
 */
#ifndef FUZZ_DEPARTURE_H
#define FUZZ_DEPARTURE_H

#include "conversation/conversation.h"

/* Within the call that sends it. */
void departure_check(struct conversation *conversation, const struct departed *departed);
/* Behind that call: the network, the peer, the peer's answer. */
void departure_handle(struct conversation *conversation, const struct departed *departed);

/* The subject's application sends a message of this size, if it may. */
void departure_send(struct conversation *conversation, size_t size);
void departure_cancel(struct conversation *conversation);

/* A UTACK reaches the subject. */
void departure_acknowledge(struct conversation *conversation, const uint8_t *bytes, size_t size);

/* The session is over, or the message is out no more: nobody may look at its payload any more. */
void departure_forget(struct conversation *conversation);

/* The peer has other keys: what it held of a message is dropped. */
void departure_peer_rekeyed(struct conversation *conversation);

#endif
