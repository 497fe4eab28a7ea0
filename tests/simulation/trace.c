#include "simulation/trace.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <usmp/frame.h>
#include <usmp/utack.h>

#define FIRST_ROOM 4096u

void trace_begin(struct trace *trace)
{
    *trace = (struct trace){.text = malloc(FIRST_ROOM), .room = FIRST_ROOM};
    assert(trace->text != NULL);
    trace->text[0] = '\0';
}

void trace_end(struct trace *trace)
{
    free(trace->text);
    *trace = (struct trace){0};
}

static void append(struct trace *trace, const char *text)
{
    size_t size = strlen(text);
    while (trace->size + size + 1 > trace->room) {
        trace->room *= 2;
        trace->text = realloc(trace->text, trace->room);
        assert(trace->text != NULL);
    }
    memcpy(trace->text + trace->size, text, size + 1);
    trace->size += size;
}

static void append_start(struct trace *trace, uint64_t now, const char *who)
{
    char start[64];
    uint64_t milliseconds = now / 1000;
    snprintf(start, sizeof start, "%4u.%03u  %-7s  ", (unsigned)(milliseconds / 1000), (unsigned)(milliseconds % 1000),
             who);
    append(trace, start);
}

void trace_line(struct trace *trace, uint64_t now, const char *who, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    append_start(trace, now, who);
    append(trace, line);
    append(trace, "\n");
}

static void describe_utack(const struct usmp_utack *utack, char *text, size_t room)
{
    snprintf(text, room, "UTACK of %s %u%s", usmp_type_name(utack->type), (unsigned)utack->seq,
             utack->has_mac ? ", with MAC" : "");
}

static void describe_frame(const struct usmp_frame *frame, char *text, size_t room)
{
    bool has_content = frame->type == USMP_DATA || frame->type == USMP_DATA_FRAG;
    bool has_cookie = frame->type == USMP_HELLO && frame->length == USMP_HELLO_COOKIE_PAYLOAD;
    char content[32] = "";
    if (has_content)
        snprintf(content, sizeof content, ", %u bytes", frame->length - (unsigned)USMP_RECORD_OVERHEAD);
    snprintf(text, room, "%s %u%s%s", usmp_type_name(frame->type), (unsigned)frame->seq, content,
             has_cookie ? ", with cookie" : "");
}

void trace_bytes(struct trace *trace, uint64_t now, const char *who, const uint8_t *bytes, size_t size,
                 const char *fate)
{
    struct usmp_utack utack;
    struct usmp_frame frame;
    char text[96];
    size_t total = 0;
    if (usmp_utack_read(bytes, size, &utack)) {
        describe_utack(&utack, text, sizeof text);
        trace_line(trace, now, who, "%-36s %s", text, fate);
        return;
    }
    for (size_t offset = 0; offset < size; offset += total) {
        if (usmp_frame_parse(bytes + offset, size - offset, &frame, &total) != USMP_FRAME_COMPLETE) {
            trace_line(trace, now, who, "%zu bytes that are no frame %s", size - offset, fate);
            return;
        }
        describe_frame(&frame, text, sizeof text);
        trace_line(trace, now, who, "%-36s %s", text, fate);
    }
}
