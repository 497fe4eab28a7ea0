/* Lines out of the bytes that a backend sends: LF ends one. A line longer than NDJSON_LINE_MAX bytes is reported once,
 * and its bytes are skipped up to the LF. Fixed memory.
 */
#ifndef DELIVERY_LINE_READER_H
#define DELIVERY_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "delivery/event_ndjson.h"

#define LINE_READER_SIZE (2 * NDJSON_LINE_MAX)

struct line_reader {
    size_t start;   /* of the line that comes next */
    size_t scanned; /* up to here there is no LF */
    size_t end;
    bool skipping; /* the rest of a line that was too long */
    char bytes[LINE_READER_SIZE];
};

enum line_reader_verdict {
    LINE_READER_NOTHING, /* no whole line is there */
    LINE_READER_LINE,
    LINE_READER_TOO_LONG,
};

void line_reader_clear(struct line_reader *reader);

/* Where to read to; `size` is never 0 after line_reader_next() has said that there is nothing. Lines that were handed
 * out are gone by this call. */
char *line_reader_space(struct line_reader *reader, size_t *size);
void line_reader_filled(struct line_reader *reader, size_t size);

/* The next line, without its LF; it stays where it is until line_reader_space(). */
enum line_reader_verdict line_reader_next(struct line_reader *reader, const char **line, size_t *size)
    __attribute__((warn_unused_result));

/* After the last byte: what remains counts as a line, though no LF ends it. Only after line_reader_next() has said
 * that there is nothing. False if nothing remains. */
bool line_reader_rest(struct line_reader *reader, const char **line, size_t *size) __attribute__((warn_unused_result));

#endif
