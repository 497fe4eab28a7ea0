/* One line of a backend as a command: docs/backend.md, "commands"; docs/security.md rule 23.
 *
 * Everything that can be told from the line alone is checked here: JSON with no key twice, nesting of at most
 * COMMAND_NESTING_MAX, no field that the operation does not have, types, spellings, base64. Whether the device may be
 * spoken to and has a session, and whether the payload is short enough, is checked where it is run.
 */
#ifndef DELIVERY_COMMAND_PARSE_H
#define DELIVERY_COMMAND_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/answer_ndjson.h"
#include "delivery/event_ndjson.h"

#define COMMAND_NESTING_MAX 4u
#define COMMAND_TTL_MIN UINT64_C(100000)        /* microseconds */
#define COMMAND_TTL_MAX UINT64_C(2592000000000) /* 30 days */

enum command_operation {
    COMMAND_SEND,
    COMMAND_CLOSE,
    COMMAND_LIST,
};

struct command_request {
    enum command_operation operation;
    struct answer_ref ref;
    uint8_t device[6];  /* send and close */
    bool session_given; /* the rest: send */
    uint8_t session[16];
    bool ttl_given;
    uint64_t ttl; /* microseconds, COMMAND_TTL_MIN to COMMAND_TTL_MAX */
    size_t size;  /* of the payload */
    uint8_t payload[NDJSON_LINE_MAX];
};

enum command_verdict {
    COMMAND_GOOD,
    COMMAND_BAD,
    COMMAND_SHORT_OF_MEMORY,
};

/* What is wrong, for the backend: valid UTF-8. */
struct command_mistake {
    char text[ANSWER_MESSAGE_MAX + 1];
};

/* `size` is at most NDJSON_LINE_MAX. With COMMAND_BAD `mistake` is set, and request->ref as far as it could be read;
 * with COMMAND_GOOD the request. */
enum command_verdict command_parse(const char *line, size_t size, struct command_request *request,
                                   struct command_mistake *mistake) __attribute__((warn_unused_result));

#endif
