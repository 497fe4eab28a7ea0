#include "platform/error_text.h"

#include <stdarg.h>
#include <stdio.h>

void error_text_set(struct error_text *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (length < 0)
        error->text[0] = '\0';
}
