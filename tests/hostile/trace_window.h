/* What to show of a failed story: the last lines of its trace, and of those before what concerns the device that the
 * witness named. */
#ifndef TESTS_HOSTILE_TRACE_WINDOW_H
#define TESTS_HOSTILE_TRACE_WINDOW_H

#include "gateway/trace.h"

/* From now on, however this process ends by itself, the interesting part of the trace is printed. */
void trace_window_keep(const struct trace *trace);
/* All of it. */
void trace_window_keep_all(const struct trace *trace);
/* Lines with one of these texts are interesting. */
void trace_window_names(const char *device, const char *address);
void trace_window_print(void);

#endif
