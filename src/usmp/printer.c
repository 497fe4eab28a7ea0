#include "usmp/printer.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "platform/escape.h"
#include "usmp/hex.h"

void printer_init(struct printer *printer, int descriptor, enum printer_style style)
{
    printer->descriptor = descriptor;
    printer->style = style;
    printer->size = 0;
}

bool printer_has_room(const struct printer *printer)
{
    return sizeof printer->bytes - printer->size >= PRINTER_LINE_MAX;
}

static size_t format(enum printer_style style, const uint8_t *bytes, size_t size, char *line)
{
    switch (style) {
    case PRINTER_RAW:
        if (size > 0)
            memcpy(line, bytes, size);
        return size;
    case PRINTER_ESCAPED: {
        size_t escaped = escape_text(bytes, size, line, PRINTER_LINE_MAX);
        assert(escaped == size);
        return strlen(line);
    }
    case PRINTER_HEX:
        hex_encode(bytes, size, line);
        return 2 * size;
    }
    return 0;
}

void printer_add(struct printer *printer, const uint8_t *bytes, size_t size)
{
    assert(printer_has_room(printer) && size <= USMP_MESSAGE_MAX);
    printer->size += format(printer->style, bytes, size, printer->bytes + printer->size);
    printer->bytes[printer->size++] = '\n';
}

bool printer_write(struct printer *printer)
{
    /* A pipe that poll() calls writable takes PIPE_BUF bytes without blocking, and not a byte more. */
    size_t size = printer->size < PIPE_BUF ? printer->size : PIPE_BUF;
    ssize_t written = write(printer->descriptor, printer->bytes, size);
    if (written < 0)
        return errno == EINTR || errno == EAGAIN;
    printer->size -= (size_t)written;
    memmove(printer->bytes, printer->bytes + written, printer->size);
    return true;
}
