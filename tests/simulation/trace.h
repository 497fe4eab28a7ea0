/* What happened in a simulation, as lines for people: time in seconds, who, what. No key and no byte that depends on
 * one is in it.
 */
#ifndef TESTS_SIMULATION_TRACE_H
#define TESTS_SIMULATION_TRACE_H

#include <stddef.h>
#include <stdint.h>

struct trace {
    char *text; /* ends with a zero byte */
    size_t size;
    size_t room;
};

void trace_begin(struct trace *trace);
void trace_end(struct trace *trace);

void trace_line(struct trace *trace, uint64_t now, const char *who, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A UTACK or the frames of a piece; `fate` ends the line. */
void trace_bytes(struct trace *trace, uint64_t now, const char *who, const uint8_t *bytes, size_t size,
                 const char *fate);

#endif
