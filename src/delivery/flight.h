/* Lines on their way to a backend: encoded, in one flat buffer, so that one write takes many of them.
 *
 * It belongs to the backend and not to a connection. When a connection ends, lines that the kernel has are done with,
 * and all others, a half-written one from its beginning, are written on the next.
 */
#ifndef DELIVERY_FLIGHT_H
#define DELIVERY_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/event_ndjson.h"

#define FLIGHT_LINES 64u
#define FLIGHT_SIZE 65536u /* bytes */

struct flight_line {
    size_t end;       /* in `bytes` */
    uint64_t cost;    /* of its event; 0 for a `lost` */
    uint64_t next_id; /* of the queue before it was taken */
};

struct flight {
    struct flight_line lines[FLIGHT_LINES];
    size_t count;
    size_t done;   /* lines that the kernel has */
    size_t length; /* bytes of all lines */
    size_t sent;   /* bytes that the kernel has */
    uint64_t cost; /* of the lines that are not done */
    char bytes[FLIGHT_SIZE];
};

/* What the kernel took, in whole lines. */
struct flight_progress {
    uint64_t events; /* without `lost` */
    uint64_t cost;
};

void flight_clear(struct flight *flight);

/* Nothing waits in it. */
bool flight_is_empty(const struct flight *flight);

/* Nothing, or nothing of the next line, has been sent: other lines may go between. */
bool flight_is_between_lines(const struct flight *flight);

/* Where the next line is written, EVENT_NDJSON_LINE_MAX bytes at most; NULL when there is no room for one. */
char *flight_line_begin(struct flight *flight);
void flight_line_end(struct flight *flight, size_t size, uint64_t cost, uint64_t next_id);

/* What is to be sent next. */
const char *flight_unsent(const struct flight *flight, size_t *size);
struct flight_progress flight_sent(struct flight *flight, size_t size);

/* The connection has ended: the line that was being sent begins anew. */
void flight_rewind(struct flight *flight);

/* The id that the first line which is not done begins with (see event_queue.h); only while it is not empty. */
uint64_t flight_next_id(const struct flight *flight);

#endif
