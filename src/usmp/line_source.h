/* Messages from the lines of a descriptor: each line is one, without its newline, and so is what stands behind the last
 * newline. A line that is too long, or no hex digits where they are asked for, is left out and reported by its number.
 * The descriptor is read only when source's `read` is called, at most a buffer ahead of what `next` has given. */
#ifndef USMP_LINE_SOURCE_H
#define USMP_LINE_SOURCE_H

#include <stdbool.h>

#include "usmp/source.h"

#define LINE_SOURCE_SIZE (2 * USMP_MESSAGE_MAX + 1) /* the longest line: digits and a newline */

struct line_source {
    struct source source;
    bool hex;
    bool is_skipping; /* the rest of a line that is too long */
    bool has_ended;
    bool has_failed;
    unsigned long line; /* the number of the line that comes next */
    size_t size;
    char bytes[LINE_SOURCE_SIZE];
};

/* The descriptor stays the caller's. */
void line_source_init(struct line_source *lines, int descriptor, bool hex);

#endif
