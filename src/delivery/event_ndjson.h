/* Events as lines of JSON: docs/backend.md, "ndjson". One line is one object and ends with LF.
 *
 * An encoder belongs to one backend. Lines are never over EVENT_NDJSON_LINE_MAX bytes, the LF included.
 */
#ifndef DELIVERY_EVENT_NDJSON_H
#define DELIVERY_EVENT_NDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/event_queue.h"
#include "delivery/json_text.h"
#include "platform/clock.h"
#include "seam/event.h"

#define NDJSON_LINE_MAX 16384u       /* what readers may rely on, both ways */
#define EVENT_NDJSON_FIELDS_MAX 384u /* of a line, its payload left out */
#define EVENT_NDJSON_LINE_MAX (EVENT_NDJSON_FIELDS_MAX + JSON_TEXT_STRING_MAX(SEAM_PAYLOAD_MAX))

_Static_assert(EVENT_NDJSON_LINE_MAX <= NDJSON_LINE_MAX, "the longest message of control characters fits a line");

struct event_ndjson {
    struct clock_text_cache clock;
    bool always_base64; /* `payload: base64`; otherwise text where it is valid UTF-8 */
};

/* Writes a line into `out`, which has room for EVENT_NDJSON_LINE_MAX bytes, and returns its length. */
size_t event_ndjson_write(struct event_ndjson *encoder, uint64_t id, const struct seam_event *event,
                          const uint8_t *payload, char *out);
size_t event_ndjson_write_lost(struct event_ndjson *encoder, const struct queued_event *lost, char *out);

/* Pieces that lines of other kinds share: each begins with a comma. */
char *event_ndjson_time(struct event_ndjson *encoder, int64_t time, char *out);
char *event_ndjson_device(const uint8_t device[static 6], const uint8_t session[static 16], char *out);
char *event_ndjson_transport(enum seam_transport transport, unsigned wire, const struct address *peer, char *out);

#endif
