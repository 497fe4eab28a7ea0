#ifndef PLATFORM_LOG_H
#define PLATFORM_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/log_field.h"
#include "platform/log_level.h"
#include "platform/log_limit.h"
#include "platform/log_record.h"

/* The log of the process (docs: section `log` of the configuration).
 *
 *   log_write(LOG_LEVEL_INFO, LOG_FIELDS(log_device(id), log_peer(&peer)), "session over %s", transport);
 *
 * text     2026-11-21T09:00:00.123456Z info session over udp device=de:ad:be:ef:00:01 peer=192.0.2.7:50123
 *          to standard error. A value that is empty or has a space, a quote or an equals sign in it is written in
 *          double quotes. When the journal reads standard error, "<6>" takes the place of time and level.
 * json     {"time":"…","level":"info","message":"session over udp","device":"…","peer":"…"} a line, to standard error.
 * journal  MESSAGE= message and fields as in text; PRIORITY=, USMPD_DEVICE=, USMPD_PEER= … as fields of their own.
 *
 * Everything is escaped on its way out, the message too: no byte of a device or a backend can begin a line or reach a
 * terminal as a control character (docs/security.md rule 25). Text from elsewhere belongs into a field, though, so
 * that nobody can forge the beginning of a message.
 *
 * Writing never waits: what a full pipe or a stuck journal does not take is dropped and counted, and the count is the
 * first line that goes through again. Long messages and values are cut (log_record.h) and then end in "…".
 *
 * The log is the one object of the process that every room may reach without being handed it. All functions may be
 * called from any thread. Before log_configure() it writes text at level info. */

enum log_format {
    LOG_FORMAT_AUTO, /* journal when JOURNAL_STREAM names standard error, otherwise text */
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON,
    LOG_FORMAT_JOURNAL,
};

/* Gets records that are not escaped yet. It must not log. */
typedef void log_sink(void *context, const struct log_record *record);

/* At start and at reload. */
void log_configure(enum log_level level, enum log_format format);

/* Sends all records of the level to `sink` in place of the configured format, for simulations and tests; NULL goes
 * back. */
void log_divert(log_sink *sink, void *context);

/* Whether a message of this level is written: to spare the work of preparing it. */
bool log_enabled(enum log_level level);

/* `fields` from LOG_FIELDS(), or NULL. The format is a literal; %s only with text of our own. */
void log_write(enum log_level level, const struct log_field *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for what an outsider can cause at will: written as far as `limit` allows at `now_us`, otherwise counted.
 * The limit belongs to the caller, one for each kind of message, and carries the level. */
void log_write_limited(struct log_limit *limit, uint64_t now_us, const struct log_field *fields, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));

/* Writes "N further messages of this kind suppressed kind=…" once the limit has calmed down; does nothing otherwise.
 * The owner calls it from its timer (log_limit_deadline() says when it is of use) and, with `now_us` UINT64_MAX,
 * before it goes. */
void log_settle(struct log_limit *limit, uint64_t now_us);

/* Lines that were dropped since the start because nobody took them. */
uint64_t log_dropped(void);

/* Goes back to the state before log_configure() and closes what it opened. */
void log_close(void);

#endif
