/* What the files of a talk share; talk.h is the contract. */
#ifndef USMP_TALK_INTERNAL_H
#define USMP_TALK_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "usmp/talk.h"

/* talk_turn.c */

bool talk_is_udp(const struct talk *talk) __attribute__((warn_unused_result));
/* Says BYE; nothing where that cannot be said any more. */
void talk_begin_close(struct talk *talk, uint64_t now);
/* Everything that may leave now. */
void talk_act(struct talk *talk, uint64_t now);
/* When something is due without an event. */
uint64_t talk_deadline(const struct talk *talk) __attribute__((warn_unused_result));

#endif
