/* HOST:PORT as it stands in the command line: a name, an IPv4 address, or an IPv6 address in brackets. Whether there is
 * such a host is not asked here. */
#ifndef USMP_ENDPOINT_H
#define USMP_ENDPOINT_H

#include <stdint.h>

#define ENDPOINT_HOST_SIZE 256u /* what DNS allows, and the NUL */
#define ENDPOINT_PORT_SIZE 6u

struct endpoint {
    char host[ENDPOINT_HOST_SIZE]; /* without brackets */
    char port[ENDPOINT_PORT_SIZE]; /* decimal, 1 to 65535 */
};

enum endpoint_verdict {
    ENDPOINT_GOOD,
    ENDPOINT_NO_PORT,
    ENDPOINT_BAD_PORT,
    ENDPOINT_BAD_HOST,
    ENDPOINT_BARE_IPV6, /* colons without brackets: where would the port begin? */
};

/* `endpoint` is set with ENDPOINT_GOOD only. */
enum endpoint_verdict endpoint_parse(const char *text, struct endpoint *endpoint) __attribute__((warn_unused_result));

/* What is wrong, to follow the text in a message. Not for ENDPOINT_GOOD. */
const char *endpoint_explain(enum endpoint_verdict verdict);

#endif
