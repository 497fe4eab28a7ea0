#ifndef PLATFORM_LOG_OUTPUT_H
#define PLATFORM_LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Lines to a descriptor that is not ours alone: standard error. It is not made non-blocking, because the shell or
 * whoever else holds it would find it changed; still no write waits. */

struct log_output {
    int descriptor;
    bool is_socket;
    bool line_open; /* the last line was taken in part only */
};

/* `descriptor` stays the caller's. */
void log_output_open(struct log_output *output, int descriptor);

/* Whether the line was taken. At most LOG_LINE_SIZE bytes. */
bool log_output_write(struct log_output *output, const char *line, size_t length) __attribute__((warn_unused_result));

/* Whether it is the stream to the journal that the environment variable JOURNAL_STREAM tells of (systemd.exec(5)). */
bool log_output_is_journal_stream(const struct log_output *output);

#endif
