/* A device's connection: a socket of its own address that takes answers from nobody but the one it calls. Never blocks.
 * The members are read by the program's loop. */
#ifndef TESTS_DEVICE_PROGRAM_LINE_H
#define TESTS_DEVICE_PROGRAM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/device.h"

#define LINE_UNSENT_MAX 8192u /* TCP: more than one operation of a device can write */

struct line {
    int descriptor; /* -1: none */
    enum strict_transport transport;
    bool connecting; /* TCP */
    uint8_t unsent[LINE_UNSENT_MAX];
    size_t unsent_size;
};

/* What reading gave: bytes, nothing yet, or the end of the connection. */
enum line_verdict { LINE_BYTES, LINE_NOTHING, LINE_CLOSED };

/* IPv4 addresses as text; a source port of 0 lets the kernel choose. False: it cannot be opened. */
bool line_open(struct line *line, enum strict_transport transport, const char *host, uint16_t port, const char *source,
               uint16_t source_port);
/* reset: TCP with a RST in place of a FIN. */
void line_close(struct line *line, bool reset);

/* The port of the socket. */
uint16_t line_local_port(const struct line *line);

/* TCP, when the socket has become writable for the first time. False: nobody took the connection. */
bool line_has_connected(struct line *line);

/* A datagram that cannot be sent is lost; a stream's bytes wait. */
void line_send(struct line *line, const uint8_t *bytes, size_t size);
void line_flush(struct line *line);

/* A datagram, or what there is of the stream. */
enum line_verdict line_receive(struct line *line, uint8_t *bytes, size_t room, size_t *size);

#endif
