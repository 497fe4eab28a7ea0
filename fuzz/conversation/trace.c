#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "conversation/conversation.h"

void conversation_trace(const struct conversation *conversation, const char *format, ...)
{
    if (getenv("FUZZ_TRACE") == NULL)
        return;
    fprintf(stderr, "%8.3f s  ", (double)conversation->now / 1e6);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}
