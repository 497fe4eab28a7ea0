#ifndef PLATFORM_LOG_LINE_H
#define PLATFORM_LOG_LINE_H

#include <stddef.h>

#include "platform/log_record.h"

/* A buffer that a line or a datagram is put together in. The sizes of log_record.h are such that what is appended
 * always fits; that it does is asserted. */

/* The largest user is a journal datagram: the line as MESSAGE=, and each field once more. */
#define LOG_LINE_CAPACITY (2 * LOG_LINE_SIZE)

struct log_line {
    size_t length;
    char text[LOG_LINE_CAPACITY]; /* without a terminating zero */
};

void log_line_append(struct log_line *line, const char *text);
void log_line_append_bytes(struct log_line *line, const void *data, size_t size);

/* Escapes up to `size` - 1 bytes of text (log_escape_cut()) at the end of the line. */
void log_line_append_escaped(struct log_line *line, log_escape *escape, const void *data, size_t count, size_t size);

#endif
