#ifndef PLATFORM_INHERITED_SOCKETS_H
#define PLATFORM_INHERITED_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/address.h"
#include "platform/error_text.h"

/* Sockets that the service manager opened for us (sd_listen_fds(3)): TCP listeners and UDP sockets. They take the
 * place of `listen` of the same transport. */

#define INHERITED_SOCKETS_MAX 16

enum inherited_socket_transport {
    INHERITED_SOCKET_TCP,
    INHERITED_SOCKET_UDP,
};

struct inherited_socket {
    int descriptor; /* non-blocking, close-on-exec; the caller's from now on */
    enum inherited_socket_transport transport;
    int family; /* AF_INET or AF_INET6 */
    struct address local;
};

struct inherited_sockets {
    size_t count;
    struct inherited_socket sockets[INHERITED_SOCKETS_MAX];
};

/* Called once at start, before there are threads: it takes LISTEN_FDS and the like out of the environment. False, with
 * `error` set and nothing handed out, if a descriptor is not of the kinds above or there are too many. */
bool inherited_sockets_take(struct inherited_sockets *inherited, struct error_text *error)
    __attribute__((warn_unused_result));

/* Closes what has not been taken over; a taken one is marked by setting its descriptor to -1. */
void inherited_sockets_close(struct inherited_sockets *inherited);

#endif
