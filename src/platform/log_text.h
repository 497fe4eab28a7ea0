#ifndef PLATFORM_LOG_TEXT_H
#define PLATFORM_LOG_TEXT_H

#include "platform/clock.h"
#include "platform/log_line.h"

/* Text lines as log.h shows them. The line is empty before. */

enum log_text_head {
    LOG_TEXT_HEAD_TIME,     /* "2026-11-21T09:00:00.123456Z info " */
    LOG_TEXT_HEAD_PRIORITY, /* "<6>": the journal reads it and knows the time itself */
};

void log_text_format(const struct log_record *record, enum log_text_head head, struct clock_text_cache *cache,
                     struct log_line *line);

/* Message and fields alone, without head and newline: appended to the line. */
void log_text_append_body(const struct log_record *record, struct log_line *line);

#endif
