#include "platform/log_line.h"

#include <assert.h>
#include <string.h>

void log_line_append_bytes(struct log_line *line, const void *data, size_t size)
{
    assert(size <= sizeof line->text - line->length);
    memcpy(line->text + line->length, data, size);
    line->length += size;
}

void log_line_append(struct log_line *line, const char *text)
{
    log_line_append_bytes(line, text, strlen(text));
}

void log_line_append_escaped(struct log_line *line, log_escape *escape, const void *data, size_t count, size_t size)
{
    assert(size <= sizeof line->text - line->length);
    char *end = line->text + line->length;
    log_escape_cut(escape, data, count, end, size);
    line->length += strlen(end);
}
