/* What may come of a frame of the peer: worked out from docs/protocol.md section 3 before the subject is given it. */
#ifndef FUZZ_FATE_H
#define FUZZ_FATE_H

#include "conversation/conversation.h"

#define FATE(verdict) (1u << (verdict))
#define FATE_TOKEN 125000u /* microseconds in which the bucket of control frames gets one more, eight at most */
#define FATE_TOKENS_MAX (8u * FATE_TOKEN)

struct fate {
    unsigned verdicts; /* FATE() of each that may come */
};

struct fate fate_of(struct conversation *conversation, const struct said *said);

/* The subject has ended its session over this frame: whether that is right. */
void fate_check_end(const struct conversation *conversation, const struct said *said);

void fate_refill(struct conversation *conversation);

#endif
