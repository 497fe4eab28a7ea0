#include "platform/log_text.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "platform/escape.h"

static bool needs_quotes(struct log_value value)
{
    return value.size == 0 || memchr(value.data, ' ', value.size) != NULL ||
           memchr(value.data, '"', value.size) != NULL || memchr(value.data, '=', value.size) != NULL;
}

static void append_field(const struct log_field *field, struct log_line *line)
{
    char scratch[LOG_VALUE_SIZE];
    struct log_value value = log_field_value(field, scratch);
    bool quoted = needs_quotes(value);
    log_line_append(line, " ");
    log_line_append(line, field->key);
    log_line_append(line, quoted ? "=\"" : "=");
    log_line_append_escaped(line, quoted ? escape_quoted : escape_text, value.data, value.size, LOG_VALUE_SIZE);
    if (quoted)
        log_line_append(line, "\"");
}

void log_text_append_body(const struct log_record *record, struct log_line *line)
{
    log_line_append_escaped(line, escape_text, record->message, strlen(record->message), LOG_MESSAGE_SIZE);
    for (const struct log_field *field = record->fields; field->type != LOG_FIELD_END; field++)
        append_field(field, line);
}

void log_text_format(const struct log_record *record, enum log_text_head head, struct clock_text_cache *cache,
                     struct log_line *line)
{
    if (head == LOG_TEXT_HEAD_PRIORITY) {
        const char priority[] = {'<', (char)('0' + log_level_priority(record->level)), '>'};
        log_line_append_bytes(line, priority, sizeof priority);
    } else {
        char time[CLOCK_TEXT_SIZE];
        clock_format(cache, record->wall_us, time);
        log_line_append(line, time);
        log_line_append(line, " ");
        log_line_append(line, log_level_name(record->level));
        log_line_append(line, " ");
    }
    log_text_append_body(record, line);
    log_line_append(line, "\n");
    assert(line->length <= LOG_LINE_SIZE);
}
