#include "vectors/replay/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void replay_report_at(struct replay_report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(report->place, sizeof report->place, format, arguments);
    va_end(arguments);
}

bool replay_report_differs(struct replay_report *report, const char *format, ...)
{
    if (report->difference[0] != '\0')
        return false;
    char text[sizeof report->difference - sizeof report->place - 2];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)snprintf(report->difference, sizeof report->difference, "%s: %s", report->place, text);
    return false;
}

bool replay_report_same(struct replay_report *report, const char *what, const uint8_t *recorded, size_t recorded_size,
                        const uint8_t *made, size_t made_size)
{
    if (recorded_size != made_size)
        return replay_report_differs(report, "%s has %zu bytes, %zu were made", what, recorded_size, made_size);
    for (size_t i = 0; i < made_size; i++) {
        if (recorded[i] != made[i])
            return replay_report_differs(report, "%s differs at byte %zu: %02x is recorded, %02x was made", what, i,
                                         recorded[i], made[i]);
    }
    return true;
}
