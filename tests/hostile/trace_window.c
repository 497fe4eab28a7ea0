#define _GNU_SOURCE
#include "hostile/trace_window.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/require.h"

#define LAST_LINES 50u
#define LINES_BEFORE 60u

static const struct trace *kept;
static bool keeps_all;
static char names[2][64];

static bool is_interesting(const char *line, size_t size)
{
    for (unsigned name = 0; name < 2; name++) {
        if (names[name][0] != '\0' && memmem(line, size, names[name], strlen(names[name])) != NULL)
            return true;
    }
    return false;
}

/* The beginning of the line before the one that begins at `line`. */
static const char *line_before(const char *text, const char *line)
{
    line--;
    while (line > text && line[-1] != '\n')
        line--;
    return line;
}

static void print_line(const char *line)
{
    const char *end = strchr(line, '\n');
    fprintf(stderr, "%.*s\n", end == NULL ? (int)strlen(line) : (int)(end - line), line);
}

static void print_window(const char *text, const char *end)
{
    const char *lines[LAST_LINES + LINES_BEFORE];
    size_t count = 0;
    const char *line = end;
    while (line > text && count < LAST_LINES) {
        line = line_before(text, line);
        lines[count++] = line;
    }
    while (line > text && count < LAST_LINES + LINES_BEFORE) {
        const char *next = line_before(text, line);
        if (is_interesting(next, (size_t)(line - next)))
            lines[count++] = next;
        line = next;
    }
    while (count > 0)
        print_line(lines[--count]);
}

void trace_window_print(void)
{
    if (kept == NULL || kept->text == NULL)
        return;
    if (keeps_all)
        fputs(kept->text, stderr);
    else
        print_window(kept->text, kept->text + kept->size);
    kept = NULL;
}

static void print_when_aborted(int signal_number)
{
    trace_window_print();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void trace_window_keep(const struct trace *trace)
{
    kept = trace;
    require(atexit(trace_window_print) == 0);
    require(signal(SIGABRT, print_when_aborted) != SIG_ERR);
    require(signal(SIGPROF, print_when_aborted) != SIG_ERR);
    require(signal(SIGSEGV, print_when_aborted) != SIG_ERR);
}

void trace_window_keep_all(const struct trace *trace)
{
    keeps_all = true;
    trace_window_keep(trace);
}

void trace_window_names(const char *device, const char *address)
{
    snprintf(names[0], sizeof names[0], "%s", device);
    snprintf(names[1], sizeof names[1], "%s", address);
}
