/* Frames of the peer on their way to the subject, and what has to come of each (docs/protocol.md sections 3 and 4):
 *
 * - a message is delivered whole, as it was sent, once; one that is acknowledged was delivered
 * - nothing opens that was sealed with another key than that of now; a copy of the REKEY frame is only answered
 * - what is taken is acknowledged, what was taken before is acknowledged again, nothing else is
 * - what is new, in its order and has room is offered; what is refused can come again
 * - an honest peer is thrown out for nothing but too many control frames
 */
#ifndef FUZZ_ARRIVAL_H
#define FUZZ_ARRIVAL_H

#include "conversation/conversation.h"

/* Gives entry `index` of `said` to the subject, and the application's answer to what is offered. */
void arrival_deliver(struct conversation *conversation, unsigned index);

/* The application's late answer. */
void arrival_settle(struct conversation *conversation, bool accepted);

/* A UTACK of the subject, which must be for what is being delivered. True: it is for the peer. */
void arrival_check_answer(struct conversation *conversation, const uint8_t *bytes, size_t size);

/* The subject has new keys, made from those of `epoch`. */
void arrival_new_keys(struct conversation *conversation, const struct usmp_keys *keys);

#endif
