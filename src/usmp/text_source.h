/* Messages from the command line. */
#ifndef USMP_TEXT_SOURCE_H
#define USMP_TEXT_SOURCE_H

#include <stdbool.h>

#include "usmp/source.h"

struct text_source {
    struct source source;
    char **texts; /* the caller's; already known to be messages */
    size_t left;
    bool hex;
};

void text_source_init(struct text_source *texts, char **first, size_t count, bool hex);

#endif
