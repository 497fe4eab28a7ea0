#include "config/yaml_reader.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Default visibility: a build with -fvisibility=hidden would bring the library's own functions back unseen. */
#define SEEN_BY_LIBYAML __attribute__((visibility("default")))

SEEN_BY_LIBYAML void *yaml_malloc(size_t size)
{
    return malloc(size == 0 ? 1 : size);
}

SEEN_BY_LIBYAML void yaml_free(void *memory)
{
    if (memory != NULL) {
        explicit_bzero(memory, malloc_usable_size(memory));
        free(memory);
    }
}

/* Not realloc: that frees the old place without wiping it. */
SEEN_BY_LIBYAML void *yaml_realloc(void *memory, size_t size)
{
    void *grown = yaml_malloc(size);
    if (grown == NULL || memory == NULL) {
        return grown;
    }
    size_t held = malloc_usable_size(memory);
    memcpy(grown, memory, held < size ? held : size);
    yaml_free(memory);
    return grown;
}

SEEN_BY_LIBYAML yaml_char_t *yaml_strdup(const yaml_char_t *text)
{
    return text == NULL ? NULL : (yaml_char_t *)strdup((const char *)text);
}

static int read_bytes(struct yaml_reader *reader, unsigned char *buffer, size_t size, size_t *got)
{
    size_t left = reader->length - reader->offset;
    *got = size < left ? size : left;
    if (*got > 0) {
        memcpy(buffer, reader->bytes + reader->offset, *got);
    }
    return 1;
}

static int read_descriptor(struct yaml_reader *reader, unsigned char *buffer, size_t size, size_t *got)
{
    ssize_t count;
    do {
        count = read(reader->descriptor, buffer, size);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        reader->error = errno;
        return 0;
    }
    *got = (size_t)count;
    return 1;
}

static int read_source(void *context, unsigned char *buffer, size_t size, size_t *got)
{
    struct yaml_reader *reader = context;
    int fine =
        reader->descriptor < 0 ? read_bytes(reader, buffer, size, got) : read_descriptor(reader, buffer, size, got);
    if (fine) {
        reader->offset += *got;
        reader->too_large = reader->offset > reader->limit;
    }
    return fine && !reader->too_large;
}

bool yaml_reader_open(struct yaml_reader *reader, const char *file, int descriptor, const char *bytes, size_t length,
                      size_t limit)
{
    *reader =
        (struct yaml_reader){.file = file, .descriptor = descriptor, .bytes = bytes, .length = length, .limit = limit};
    if (!yaml_parser_initialize(&reader->parser)) {
        return false;
    }
    yaml_parser_set_input(&reader->parser, read_source, reader);
    return true;
}

void yaml_reader_close(struct yaml_reader *reader)
{
    yaml_parser_delete(&reader->parser);
}

/* A piece of the source again, from `offset`; 0 at its end, or when the source is a pipe. */
static size_t reread(const struct yaml_reader *reader, size_t offset, char *piece, size_t size)
{
    if (reader->descriptor >= 0) {
        ssize_t count = pread(reader->descriptor, piece, size, (off_t)offset);
        return count < 0 ? 0 : (size_t)count;
    }
    size_t left = reader->length - offset;
    size_t count = size < left ? size : left;
    if (count > 0) {
        memcpy(piece, reader->bytes + offset, count);
    }
    return count;
}

/* libyaml knows only the offset of a byte that is no text. */
static struct diagnostics_place place_of_offset(const struct yaml_reader *reader, size_t offset)
{
    struct diagnostics_place place = {.file = reader->file, .line = 1, .column = 1};
    char piece[4096];
    size_t done = 0;
    while (done < offset) {
        size_t wanted = offset - done < sizeof piece ? offset - done : sizeof piece;
        size_t count = reread(reader, done, piece, wanted);
        if (count == 0) {
            place.line = 0;
            break;
        }
        for (size_t i = 0; i < count; i++) {
            bool continues = ((unsigned char)piece[i] & 0xC0u) == 0x80u;
            if (piece[i] == '\n') {
                place.line++;
                place.column = 1;
            } else if (!continues) {
                place.column++;
            }
        }
        done += count;
    }
    explicit_bzero(piece, sizeof piece);
    return place;
}

static void report(const struct yaml_reader *reader, struct diagnostics *diagnostics)
{
    const yaml_parser_t *parser = &reader->parser;
    struct diagnostics_place whole = {.file = reader->file};
    if (reader->error != 0) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, whole, "cannot be read: %s", strerror(reader->error));
        return;
    }
    if (reader->too_large) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, whole, "larger than %zu bytes", reader->limit);
        return;
    }
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;
    switch (parser->error) {
    case YAML_MEMORY_ERROR:
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, whole, "out of memory");
        return;
    case YAML_READER_ERROR:
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place_of_offset(reader, parser->problem_offset), "%s", problem);
        return;
    default: {
        struct diagnostics_place place = {.file = reader->file,
                                          .line = (unsigned)parser->problem_mark.line + 1,
                                          .column = (unsigned)parser->problem_mark.column + 1};
        if (parser->context == NULL) {
            diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place, "%s", problem);
        } else {
            diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, place, "%s (%s)", problem, parser->context);
        }
    }
    }
}

bool yaml_reader_next(struct yaml_reader *reader, yaml_event_t *event, struct diagnostics *diagnostics)
{
    if (yaml_parser_parse(&reader->parser, event)) {
        return true;
    }
    report(reader, diagnostics);
    return false;
}
