#ifndef PLATFORM_LOG_JOURNAL_H
#define PLATFORM_LOG_JOURNAL_H

#include "platform/log_line.h"

/* Entries for the journal in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), sent by ourselves:
 * sd_journal_sendv() waits as long as the journal does not read, and a gateway must not stand still with it. */

#define LOG_JOURNAL_PATH "/run/systemd/journal/socket"

enum log_journal_verdict {
    LOG_JOURNAL_SENT,
    LOG_JOURNAL_FULL,   /* it is there, but takes nothing now */
    LOG_JOURNAL_ABSENT, /* nobody has this socket */
};

/* A datagram socket to send from, or -1 with errno set. */
int log_journal_open(void);

/* MESSAGE=, PRIORITY=, SYSLOG_IDENTIFIER=usmpd and USMPD_KEY= for each field. The datagram is empty before. */
void log_journal_format(const struct log_record *record, struct log_line *datagram);

/* Never waits. `path` is LOG_JOURNAL_PATH, but in tests. */
enum log_journal_verdict log_journal_send(int descriptor, const char *path, const struct log_line *datagram)
    __attribute__((warn_unused_result));

#endif
