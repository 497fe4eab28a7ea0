/* Which frames of the gateway a session has had (docs/protocol.md section 3): over TCP and on wire 1 exactly the next
 * one, over UDP on wire 2 the highest and the 63 below it. */
#ifndef TESTS_DEVICE_WINDOW_H
#define TESTS_DEVICE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct strict_window {
    uint32_t next;    /* strict order */
    uint32_t highest; /* 0 in the beginning, with an empty bitmap */
    uint64_t seen;    /* bit n: highest - n */
};

/* Window of 64. Had: a copy, or too old to tell. */
bool strict_window_had(const struct strict_window *window, uint32_t seq);
void strict_window_note(struct strict_window *window, uint32_t seq);

#endif
