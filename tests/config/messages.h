/* What diagnostics hold, as one text to compare with: a line each. */
#ifndef TESTS_CONFIG_MESSAGES_H
#define TESTS_CONFIG_MESSAGES_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/diagnostics.h"

/* Not inlined: gcc 12 takes the text that open_memstream made for the variable that it was told about. */
__attribute__((noinline, unused)) static char *messages_of(const struct diagnostics *diagnostics)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    diagnostics_print(diagnostics, stream);
    assert_int_equal(fclose(stream), 0);
    return text;
}

static inline void assert_messages_at(const struct diagnostics *diagnostics, const char *expected, const char *file,
                                      int line)
{
    char *text = messages_of(diagnostics);
    _assert_string_equal(text, expected, file, line);
    free(text);
}

#define assert_messages(diagnostics, expected) assert_messages_at(diagnostics, expected, __FILE__, __LINE__)

#endif
