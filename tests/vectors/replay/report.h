/* What a replay has found: how much agreed, and the first thing that did not.
 *
 * Functions that check return whether it agreed, so that a replay stops at the first difference; only that one is
 * kept. The texts are for people.
 */
#ifndef TESTS_VECTORS_REPLAY_REPORT_H
#define TESTS_VECTORS_REPLAY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replay_report {
    unsigned handshake_frames;
    unsigned session_frames;
    unsigned messages;
    unsigned utacks;
    char place[96];       /* where the replay is, "session[3].frames[0]" */
    char difference[400]; /* empty while everything agrees */
};

/* Names the place of what is checked next. */
void replay_report_at(struct replay_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes a difference at the current place; returns false, for callers to return. */
bool replay_report_differs(struct replay_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether `made` is what the file says; if not, notes where they part. */
bool replay_report_same(struct replay_report *report, const char *what, const uint8_t *recorded, size_t recorded_size,
                        const uint8_t *made, size_t made_size) __attribute__((warn_unused_result));

#endif
