#ifndef PLATFORM_LOG_JSON_H
#define PLATFORM_LOG_JSON_H

#include "platform/clock.h"
#include "platform/log_line.h"

/* One JSON object and a newline: members "time", "level", "message", then the fields, numbers as numbers and all else
 * as strings. The line is empty before. */
void log_json_format(const struct log_record *record, struct clock_text_cache *cache, struct log_line *line);

#endif
