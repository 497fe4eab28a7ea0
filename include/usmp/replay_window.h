/* Which seq of one direction, under one key, has been accepted: docs/protocol.md section 3, UDP, wire 2.
 *
 * Asking and accepting are two steps: only what is authentic and has been taken may move the window. A new key starts
 * with a new window (docs/security.md rule 19).
 */
#ifndef USMP_REPLAY_WINDOW_H
#define USMP_REPLAY_WINDOW_H

#include <stdint.h>

#include <usmp/wire.h>

struct usmp_replay_window {
    uint64_t bitmap; /* bit n: highest − n has been accepted */
    uint32_t highest;
};

enum usmp_replay_verdict {
    USMP_REPLAY_NEW,
    USMP_REPLAY_DUPLICATE, /* accepted before */
    USMP_REPLAY_TOO_OLD,   /* at or below highest − USMP_REPLAY_WINDOW: not known any more */
};

void usmp_replay_window_init(struct usmp_replay_window *window);

enum usmp_replay_verdict usmp_replay_window_check(const struct usmp_replay_window *window, uint32_t seq) USMP_MUST_USE;

/* `seq` must be USMP_REPLAY_NEW. */
void usmp_replay_window_accept(struct usmp_replay_window *window, uint32_t seq);

#endif
