/* What is wrong with the files an operator wrote: collected, not printed at once, so that `usmpd --check` and a
 * reload can show everything and not only the first mistake.
 *
 * Owner: whoever calls diagnostics_open; the texts live until diagnostics_close. Not thread-safe.
 * Bounds: DIAGNOSTICS_MAX entries are kept, further ones are only counted (an error pushes a warning out); a message is
 * cut at DIAGNOSTICS_TEXT bytes, file name and place not counted. What could steer a terminal is escaped.
 * A text never holds key material: callers name the key ("devices.…psk"), never its value.
 */
#ifndef CONFIG_DIAGNOSTICS_H
#define CONFIG_DIAGNOSTICS_H

#include <stddef.h>
#include <stdio.h>

#define DIAGNOSTICS_MAX 1000
#define DIAGNOSTICS_TEXT 512

enum diagnostics_severity {
    DIAGNOSTICS_ERROR,
    DIAGNOSTICS_WARNING, /* does not change the exit status */
};

/* A place in a file; line and column count from 1, 0 when the message is about the whole file. */
struct diagnostics_place {
    const char *file;
    unsigned line;
    unsigned column;
};

struct diagnostics;

/* NULL when memory is short. */
struct diagnostics *diagnostics_open(void) __attribute__((warn_unused_result));
void diagnostics_close(struct diagnostics *diagnostics);

/* Adds one message; never fails: when memory is short the message is counted and diagnostics_print says so. */
void diagnostics_add(struct diagnostics *diagnostics, enum diagnostics_severity severity,
                     struct diagnostics_place place, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* How many were added, those over the bound included. */
size_t diagnostics_errors(const struct diagnostics *diagnostics);
size_t diagnostics_warnings(const struct diagnostics *diagnostics);

/* Calls `each` for every kept message in order of file and place. `text` is "file:line:column: message", the
 * message of a warning begins with "warning: ". */
void diagnostics_each(const struct diagnostics *diagnostics,
                      void (*each)(void *context, enum diagnostics_severity severity, const char *text), void *context);

/* One line each; tells at the end how many did not fit, if any. */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *stream);

#endif
