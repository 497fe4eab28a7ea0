#include "platform/log_json.h"

#include <assert.h>
#include <string.h>

#include "platform/escape.h"

static void append_field(const struct log_field *field, struct log_line *line)
{
    char scratch[LOG_VALUE_SIZE];
    struct log_value value = log_field_value(field, scratch);
    const char *quote = field->type == LOG_FIELD_NUMBER ? "" : "\"";
    log_line_append(line, ",\"");
    log_line_append(line, field->key);
    log_line_append(line, "\":");
    log_line_append(line, quote);
    log_line_append_escaped(line, escape_json, value.data, value.size, LOG_VALUE_SIZE);
    log_line_append(line, quote);
}

void log_json_format(const struct log_record *record, struct clock_text_cache *cache, struct log_line *line)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(cache, record->wall_us, time);
    log_line_append(line, "{\"time\":\"");
    log_line_append(line, time);
    log_line_append(line, "\",\"level\":\"");
    log_line_append(line, log_level_name(record->level));
    log_line_append(line, "\",\"message\":\"");
    log_line_append_escaped(line, escape_json, record->message, strlen(record->message), LOG_MESSAGE_SIZE);
    log_line_append(line, "\"");
    for (const struct log_field *field = record->fields; field->type != LOG_FIELD_END; field++)
        append_field(field, line);
    log_line_append(line, "}\n");
    assert(line->length <= LOG_LINE_SIZE);
}
