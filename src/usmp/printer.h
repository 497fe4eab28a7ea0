/* Messages as lines on a descriptor, without ever waiting for whoever reads them. */
#ifndef USMP_PRINTER_H
#define USMP_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

#define PRINTER_LINE_MAX (4 * USMP_MESSAGE_MAX + 1) /* every byte as \xNN, and a newline */
#define PRINTER_SIZE (4 * PRINTER_LINE_MAX)

enum printer_style {
    PRINTER_RAW,     /* byte for byte: for programs */
    PRINTER_ESCAPED, /* what could steer a terminal is escaped (docs/security.md rule 25) */
    PRINTER_HEX,
};

struct printer {
    int descriptor; /* the caller's; need not be non-blocking */
    enum printer_style style;
    size_t size; /* of what is not written yet */
    char bytes[PRINTER_SIZE];
};

void printer_init(struct printer *printer, int descriptor, enum printer_style style);

/* Whether any message fits. */
bool printer_has_room(const struct printer *printer) __attribute__((warn_unused_result));
/* Takes a message of at most USMP_MESSAGE_MAX bytes; only with room. */
void printer_add(struct printer *printer, const uint8_t *bytes, size_t size);

/* Writes some of what is there, to be called when poll() says that the descriptor takes it. False, with errno, when it
 * never will again. */
bool printer_write(struct printer *printer) __attribute__((warn_unused_result));

#endif
