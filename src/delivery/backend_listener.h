/* The Unix socket of a backend on the hub's loop, and who may have it: one connection at a time. A second one gets an
 * `error` line with code `in_use` and is closed (docs/backend.md); docs/security.md rules 23 and 24.
 */
#ifndef DELIVERY_BACKEND_LISTENER_H
#define DELIVERY_BACKEND_LISTENER_H

#include <stdbool.h>
#include <uv.h>

#include "platform/error_text.h"
#include "platform/unix_listener.h"

struct backend;

struct backend_listener {
    struct backend *backend;
    struct unix_listener socket;
    uv_poll_t poll;
    bool open;
    bool paused; /* nothing could be accepted, for want of descriptors or memory */
};

/* `listener` is all zeros. It stays where it is until libuv has closed its handle, also when this fails. */
bool backend_listener_open(struct backend_listener *listener, struct backend *backend, struct error_text *error)
    __attribute__((warn_unused_result));

/* Removes the socket; nothing happens if it is not open. */
void backend_listener_close(struct backend_listener *listener);

/* Tries again after a pause. */
void backend_listener_resume(struct backend_listener *listener);

#endif
