/* From HOST:PORT to an open session: every address of the host in turn. */
#ifndef USMP_DIAL_H
#define USMP_DIAL_H

#include <stdbool.h>

#include "usmp/endpoint.h"
#include "usmp/link.h"

#define DIAL_ADDRESSES_MAX 8 /* of one host; further ones are not tried */

/* Blocks until the link is live, and SIGINT and SIGTERM end the process meanwhile. The next address is tried when no
 * gateway is at the last one; a gateway that refuses has the last word. False when there is no session: standard error
 * then knows why, with a line for each address. `link` is over when it comes here. */
bool dial(const struct endpoint *endpoint, const struct link_identity *identity, struct link *link)
    __attribute__((warn_unused_result));

#endif
