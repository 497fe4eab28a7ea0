#ifndef PLATFORM_LOG_LIMIT_H
#define PLATFORM_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/log_level.h"

/* A token bucket for one kind of message, without a clock of its own: LOG_LIMIT_BURST messages at once, then
 * LOG_LIMIT_PER_SECOND. Once it has held back messages, their number is due when the bucket has filled up again,
 * that is when nothing came for up to two seconds, and at the latest every LOG_LIMIT_REPORT_US. Owned by whoever
 * logs; one thread. */

#define LOG_LIMIT_BURST 20
#define LOG_LIMIT_PER_SECOND 10
#define LOG_LIMIT_REPORT_US UINT64_C(60000000)

struct log_limit {
    const char *kind;      /* a literal in lower case with _: "authentication_failed" */
    enum log_level level;  /* of all messages of this kind */
    uint64_t full_at_us;   /* when the bucket will have filled up */
    uint64_t report_at_us; /* when `suppressed` is due at the latest; unused while that is 0 */
    uint64_t suppressed;   /* since the last report */
};

#define LOG_LIMIT_INITIALIZER(kind_of_message, message_level)                                                          \
    {                                                                                                                  \
        .kind = (kind_of_message), .level = (message_level)                                                            \
    }

/* Takes one token. False: the message is held back and counted. `now_us` is monotonic and never goes back. */
bool log_limit_take(struct log_limit *limit, uint64_t now_us) __attribute__((warn_unused_result));

/* The number of messages held back if it is due at `now_us`, and forgets it; otherwise 0. */
uint64_t log_limit_report(struct log_limit *limit, uint64_t now_us) __attribute__((warn_unused_result));

/* When a report will be due if nothing more comes; UINT64_MAX if there is nothing to report. */
uint64_t log_limit_deadline(const struct log_limit *limit);

#endif
