#ifndef PLATFORM_LOG_RECORD_H
#define PLATFORM_LOG_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "platform/log_field.h"
#include "platform/log_level.h"

/* One event on its way to the log, and the sizes that keep a line within what a pipe takes at once (PIPE_BUF). */

#define LOG_MESSAGE_SIZE 1024 /* escaped, with the terminating zero; what is longer is cut and ends in "…" */
#define LOG_VALUE_SIZE 320    /* the same for the value of each field */
#define LOG_LINE_SIZE 4096    /* a whole line in text or JSON, its fields included */

struct log_record {
    enum log_level level;
    uint64_t wall_us;
    const char *message;
    const struct log_field *fields; /* up to LOG_FIELD_END; never NULL */
};

/* An escaping function of escape.h. */
typedef size_t log_escape(const void *data, size_t count, char *text, size_t size);

/* Escapes; where it does not fit into `size` bytes (at least 4) it is cut and ends in "…". */
void log_escape_cut(log_escape *escape, const void *data, size_t count, char *text, size_t size);

/* What a field's value is before it is escaped: the bytes of the field itself, or text written to `scratch`. */
struct log_value {
    const void *data;
    size_t size;
};

struct log_value log_field_value(const struct log_field *field, char scratch[static LOG_VALUE_SIZE]);

#endif
