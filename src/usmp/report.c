#include "usmp/report.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_SIZE 1024 /* a path of the command line may be long; what is longer is cut */

void report(const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "usmp: %s\n", line);
}
