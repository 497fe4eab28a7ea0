#include "config/diagnostics.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "platform/escape.h"

#define PREFIX_ROOM sizeof ":4294967295:4294967295: warning: "
#define MOST_ESCAPED 4u /* bytes that one byte of a file name may become */

struct message {
    enum diagnostics_severity severity;
    size_t file; /* rank of the file: files come in the order in which they were first named */
    unsigned line;
    unsigned column;
    char *text;
};

struct diagnostics {
    struct message *messages; /* always sorted by place; equal places stay in the order of their adding */
    size_t count;
    size_t capacity;
    char **files;
    size_t file_count;
    size_t file_capacity;
    size_t errors;
    size_t warnings;
};

struct diagnostics *diagnostics_open(void)
{
    return calloc(1, sizeof(struct diagnostics));
}

void diagnostics_close(struct diagnostics *diagnostics)
{
    if (diagnostics == NULL) {
        return;
    }
    for (size_t i = 0; i < diagnostics->count; i++) {
        free(diagnostics->messages[i].text);
    }
    for (size_t i = 0; i < diagnostics->file_count; i++) {
        free(diagnostics->files[i]);
    }
    free(diagnostics->messages);
    free(diagnostics->files);
    free(diagnostics);
}

/* The array with room for one more element, or NULL: then it is as it was. */
static void *with_room(void *array, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity) {
        return array;
    }
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *grown = reallocarray(array, wanted, size);
    if (grown != NULL) {
        *capacity = wanted;
    }
    return grown;
}

static bool rank_of_file(struct diagnostics *diagnostics, const char *file, size_t *rank)
{
    for (size_t i = 0; i < diagnostics->file_count; i++) {
        if (strcmp(diagnostics->files[i], file) == 0) {
            *rank = i;
            return true;
        }
    }
    if (diagnostics->file_count == DIAGNOSTICS_MAX) {
        return false;
    }
    char **files = with_room(diagnostics->files, &diagnostics->file_capacity, diagnostics->file_count, sizeof(char *));
    if (files == NULL) {
        return false;
    }
    diagnostics->files = files;
    char *copy = strdup(file);
    if (copy == NULL) {
        return false;
    }
    *rank = diagnostics->file_count;
    diagnostics->files[diagnostics->file_count++] = copy;
    return true;
}

/* The names and values in a message come from a file and meet a terminal, so all is escaped; the raw text is longer
 * than what is kept, so that the cut never falls into a character. */
__attribute__((format(printf, 3, 0))) static char *
compose(enum diagnostics_severity severity, struct diagnostics_place place, const char *format, va_list arguments)
{
    char message[2 * DIAGNOSTICS_TEXT];
    int length = vsnprintf(message, sizeof message, format, arguments);
    if (length < 0) {
        return NULL;
    }
    size_t message_length = (size_t)length < sizeof message ? (size_t)length : sizeof message - 1;
    size_t file_length = place.file == NULL ? 0 : strlen(place.file);
    size_t size = MOST_ESCAPED * file_length + PREFIX_ROOM + DIAGNOSTICS_TEXT;
    char *text = malloc(size);
    if (text == NULL) {
        return NULL;
    }
    size_t used = 0;
    if (place.file != NULL) {
        escape_text(place.file, file_length, text, size);
        used = strlen(text);
        used += (size_t)(place.line == 0 ? snprintf(text + used, size - used, ": ")
                                         : snprintf(text + used, size - used, ":%u:%u: ", place.line, place.column));
    }
    if (severity == DIAGNOSTICS_WARNING) {
        used += (size_t)snprintf(text + used, size - used, "warning: ");
    }
    escape_text(message, message_length, text + used, DIAGNOSTICS_TEXT);
    return text;
}

static bool comes_after(const struct message *one, const struct message *other)
{
    if (one->file != other->file) {
        return one->file > other->file;
    }
    if (one->line != other->line) {
        return one->line > other->line;
    }
    return one->column > other->column;
}

/* An error is never lost to a bound that warnings have filled. */
static bool drop_last_warning(struct diagnostics *diagnostics)
{
    for (size_t i = diagnostics->count; i > 0; i--) {
        struct message *message = &diagnostics->messages[i - 1];
        if (message->severity == DIAGNOSTICS_WARNING) {
            free(message->text);
            memmove(message, message + 1, (diagnostics->count - i) * sizeof(*message));
            diagnostics->count--;
            return true;
        }
    }
    return false;
}

static bool keep(struct diagnostics *diagnostics, struct message message)
{
    if (diagnostics->count == DIAGNOSTICS_MAX &&
        (message.severity != DIAGNOSTICS_ERROR || !drop_last_warning(diagnostics))) {
        return false;
    }
    struct message *messages =
        with_room(diagnostics->messages, &diagnostics->capacity, diagnostics->count, sizeof(message));
    if (messages == NULL) {
        return false;
    }
    diagnostics->messages = messages;
    size_t position = diagnostics->count;
    while (position > 0 && comes_after(&diagnostics->messages[position - 1], &message)) {
        position--;
    }
    memmove(&diagnostics->messages[position + 1], &diagnostics->messages[position],
            (diagnostics->count - position) * sizeof(message));
    diagnostics->messages[position] = message;
    diagnostics->count++;
    return true;
}

void diagnostics_add(struct diagnostics *diagnostics, enum diagnostics_severity severity,
                     struct diagnostics_place place, const char *format, ...)
{
    assert(diagnostics != NULL);
    if (severity == DIAGNOSTICS_ERROR) {
        diagnostics->errors++;
    } else {
        diagnostics->warnings++;
    }
    struct message message = {.severity = severity, .line = place.line, .column = place.column};
    if (!rank_of_file(diagnostics, place.file == NULL ? "" : place.file, &message.file)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    message.text = compose(severity, place, format, arguments);
    va_end(arguments);
    if (message.text != NULL && !keep(diagnostics, message)) {
        free(message.text);
    }
}

size_t diagnostics_errors(const struct diagnostics *diagnostics)
{
    return diagnostics->errors;
}

size_t diagnostics_warnings(const struct diagnostics *diagnostics)
{
    return diagnostics->warnings;
}

void diagnostics_each(const struct diagnostics *diagnostics,
                      void (*each)(void *context, enum diagnostics_severity severity, const char *text), void *context)
{
    for (size_t i = 0; i < diagnostics->count; i++) {
        each(context, diagnostics->messages[i].severity, diagnostics->messages[i].text);
    }
}

static void print_line(void *context, enum diagnostics_severity severity, const char *text)
{
    (void)severity;
    FILE *stream = context;
    fprintf(stream, "%s\n", text);
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream)
{
    diagnostics_each(diagnostics, print_line, stream);
    size_t added = diagnostics->errors + diagnostics->warnings;
    if (added > diagnostics->count) {
        fprintf(stream, "%zu further messages are not shown\n", added - diagnostics->count);
    }
}
