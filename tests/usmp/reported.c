#include "usmp/reported.h"

#include <stdarg.h>
#include <stdio.h>

#include "usmp/report.h"

static char text[16384];
static size_t used;

void report(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text + used, sizeof text - used, format, arguments);
    va_end(arguments);
    size_t left = sizeof text - used - 1;
    used += (size_t)length < left ? (size_t)length : left;
    if (used < sizeof text - 1)
        text[used++] = '\n';
    text[used] = '\0';
}

const char *reported(void)
{
    return text;
}

void reported_forget(void)
{
    used = 0;
    text[0] = '\0';
}
