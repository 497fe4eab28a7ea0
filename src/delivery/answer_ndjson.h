/* Lines from usmpd that are no events: the greeting, what a command came to, the sessions of a `list`
 * (docs/backend.md). Each function writes one line, its LF included, of at most ANSWER_NDJSON_LINE_MAX bytes and
 * returns its length.
 */
#ifndef DELIVERY_ANSWER_NDJSON_H
#define DELIVERY_ANSWER_NDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/directory.h"
#include "delivery/event_ndjson.h"

#define ANSWER_REF_MAX 64u      /* bytes */
#define ANSWER_MESSAGE_MAX 160u /* bytes */
#define ANSWER_NDJSON_LINE_MAX                                                                                         \
    (EVENT_NDJSON_FIELDS_MAX + JSON_TEXT_STRING_MAX(ANSWER_REF_MAX) + JSON_TEXT_STRING_MAX(ANSWER_MESSAGE_MAX))

/* What the backend calls its command; valid UTF-8. */
struct answer_ref {
    bool given;
    uint8_t size;
    char bytes[ANSWER_REF_MAX];
};

enum answer_code {
    ANSWER_IN_USE,
    ANSWER_NOT_CONNECTED,
    ANSWER_EXPIRED,
    ANSWER_UNCONFIRMED,
    ANSWER_TOO_LARGE,
    ANSWER_BUSY,
    ANSWER_FORBIDDEN,
    ANSWER_BAD_REQUEST,
};

struct answer_hello {
    const char *version; /* of usmpd */
    const char *backend;
    const char *epoch; /* hex digits */
    uint64_t next_id;
};

size_t answer_ndjson_hello(const struct answer_hello *hello, char *out);
size_t answer_ndjson_sent(const struct answer_ref *ref, bool by_device, char *out);
size_t answer_ndjson_closed(const struct answer_ref *ref, char *out);

/* `message` is valid UTF-8, at most ANSWER_MESSAGE_MAX bytes. `limit` stands in the line of ANSWER_TOO_LARGE only. */
size_t answer_ndjson_error(const struct answer_ref *ref, enum answer_code code, const char *message, unsigned limit,
                           char *out);

size_t answer_ndjson_session(struct event_ndjson *encoder, const struct answer_ref *ref,
                             const struct directory_session *session, char *out);
size_t answer_ndjson_listed(const struct answer_ref *ref, uint64_t count, char *out);

#endif
