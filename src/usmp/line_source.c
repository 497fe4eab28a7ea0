#include "usmp/line_source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "usmp/hex.h"
#include "usmp/report.h"

static void read_more(struct source *source)
{
    struct line_source *lines = (struct line_source *)source;
    ssize_t count = read(source->descriptor, lines->bytes + lines->size, sizeof lines->bytes - lines->size);
    if (count > 0) {
        lines->size += (size_t)count;
    } else if (count == 0) {
        lines->has_ended = true;
    } else if (errno != EINTR && errno != EAGAIN) {
        report("standard input: %s", strerror(errno));
        lines->has_ended = true;
        lines->has_failed = true;
    }
}

static void drop(struct line_source *lines, size_t count)
{
    lines->size -= count;
    memmove(lines->bytes, lines->bytes + count, lines->size);
}

static size_t longest(const struct line_source *lines)
{
    return lines->hex ? 2 * USMP_MESSAGE_MAX : USMP_MESSAGE_MAX;
}

static enum source_verdict refuse_length(const struct line_source *lines)
{
    report("line %lu is left out: it makes a message of more than %d bytes", lines->line, USMP_MESSAGE_MAX);
    return SOURCE_REFUSED;
}

static enum source_verdict make_message(const struct line_source *lines, size_t length, struct source_message *message)
{
    if (length > longest(lines))
        return refuse_length(lines);
    if (!lines->hex) {
        message->size = length;
        memcpy(message->bytes, lines->bytes, length);
        return SOURCE_MESSAGE;
    }
    if (!hex_decode(lines->bytes, length, message->bytes)) {
        report("line %lu is left out: it is not in hex digits, two for a byte", lines->line);
        return SOURCE_REFUSED;
    }
    message->size = length / 2;
    return SOURCE_MESSAGE;
}

/* `used` bytes of the buffer are the line, with its newline if it has one. */
static enum source_verdict finish_line(struct line_source *lines, size_t length, size_t used,
                                       struct source_message *message)
{
    enum source_verdict verdict = make_message(lines, length, message);
    drop(lines, used);
    lines->line++;
    return verdict;
}

/* No newline fits into what is there: the line is too long, whatever it is. */
static enum source_verdict begin_skipping(struct line_source *lines)
{
    lines->is_skipping = true;
    lines->size = 0;
    return refuse_length(lines);
}

static enum source_verdict next_at_end(struct line_source *lines, struct source_message *message)
{
    if (lines->size > 0 && !lines->is_skipping)
        return finish_line(lines, lines->size, lines->size, message);
    return lines->has_failed ? SOURCE_FAILED : SOURCE_END;
}

static enum source_verdict next_line(struct source *source, struct source_message *message)
{
    struct line_source *lines = (struct line_source *)source;
    const char *newline = memchr(lines->bytes, '\n', lines->size);
    if (lines->is_skipping && newline != NULL) {
        drop(lines, (size_t)(newline - lines->bytes) + 1);
        lines->is_skipping = false;
        lines->line++;
        newline = memchr(lines->bytes, '\n', lines->size);
    }
    if (lines->is_skipping)
        lines->size = 0;
    else if (newline != NULL)
        return finish_line(lines, (size_t)(newline - lines->bytes), (size_t)(newline - lines->bytes) + 1, message);
    else if (lines->size > longest(lines))
        return begin_skipping(lines);
    return lines->has_ended ? next_at_end(lines, message) : SOURCE_WAIT;
}

void line_source_init(struct line_source *lines, int descriptor, bool hex)
{
    *lines = (struct line_source){
        .source = {.next = next_line, .read = read_more, .descriptor = descriptor},
        .hex = hex,
        .line = 1,
    };
}
