#include "delivery/line_reader.h"

#include <assert.h>
#include <string.h>

void line_reader_clear(struct line_reader *reader)
{
    reader->start = 0;
    reader->scanned = 0;
    reader->end = 0;
    reader->skipping = false;
}

char *line_reader_space(struct line_reader *reader, size_t *size)
{
    if (reader->start > 0) {
        memmove(reader->bytes, reader->bytes + reader->start, reader->end - reader->start);
        reader->scanned -= reader->start;
        reader->end -= reader->start;
        reader->start = 0;
    }
    *size = sizeof reader->bytes - reader->end;
    return reader->bytes + reader->end;
}

void line_reader_filled(struct line_reader *reader, size_t size)
{
    assert(size <= sizeof reader->bytes - reader->end);
    reader->end += size;
}

/* The line under way is too long: report it once, keep nothing of it. */
static enum line_reader_verdict skip(struct line_reader *reader)
{
    reader->start = reader->end;
    reader->scanned = reader->end;
    bool reported = reader->skipping;
    reader->skipping = true;
    return reported ? LINE_READER_NOTHING : LINE_READER_TOO_LONG;
}

enum line_reader_verdict line_reader_next(struct line_reader *reader, const char **line, size_t *size)
{
    for (;;) {
        const char *from = reader->bytes + reader->scanned;
        const char *end = memchr(from, '\n', reader->end - reader->scanned);
        if (end == NULL) {
            reader->scanned = reader->end;
            if (reader->skipping || reader->end - reader->start > NDJSON_LINE_MAX)
                return skip(reader);
            return LINE_READER_NOTHING;
        }
        const char *begin = reader->bytes + reader->start;
        reader->start = (size_t)(end - reader->bytes) + 1;
        reader->scanned = reader->start;
        if (reader->skipping) {
            reader->skipping = false;
            continue;
        }
        if ((size_t)(end - begin) > NDJSON_LINE_MAX)
            return LINE_READER_TOO_LONG;
        *line = begin;
        *size = (size_t)(end - begin);
        return LINE_READER_LINE;
    }
}

bool line_reader_rest(struct line_reader *reader, const char **line, size_t *size)
{
    if (reader->start == reader->end)
        return false;
    *line = reader->bytes + reader->start;
    *size = reader->end - reader->start;
    reader->start = reader->end;
    reader->scanned = reader->end;
    return true;
}
