#define _GNU_SOURCE
#include "delivery/backend_listener.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delivery/answer_ndjson.h"
#include "delivery/backend.h"
#include "delivery/connection.h"
#include "delivery/hub_state.h"
#include "platform/clock.h"
#include "platform/log.h"

#define BACKLOG 16
#define ACCEPTS_PER_TURN 8 /* backends that try again in a loop do not hold up the traffic */

/* Who is at the other end (docs/security.md rule 23); -1 where the kernel does not say. */
static int64_t uid_of_peer(int descriptor)
{
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
        return -1;
    return credentials.uid;
}

static void refuse(const struct backend *backend, int descriptor)
{
    static const struct answer_ref NO_REF = {.given = false};
    char line[ANSWER_NDJSON_LINE_MAX];
    size_t size = answer_ndjson_error(&NO_REF, ANSWER_IN_USE, "another connection holds this socket", 0, line);
    (void)send(descriptor, line, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    /* What it has written already is taken, or its reading would end with an error behind the line. */
    char scratch[4096];
    (void)recv(descriptor, scratch, sizeof scratch, MSG_DONTWAIT);
    HUB_LOG(backend->hub, HUB_MESSAGE_REFUSED,
            LOG_FIELDS(log_string("backend", backend->config->name), log_number("uid", uid_of_peer(descriptor))),
            "second connection to a backend socket refused");
    close(descriptor);
}

/* Takes over the descriptor. */
static void welcome(struct backend *backend, int descriptor)
{
    /* The one that is there may have gone without our having heard of it: a backend that was restarted is no second. */
    if (backend->connection != NULL && connection_is_hung_up(backend->connection)) {
        connection_vanish(backend->connection);
        backend_flush(backend);
    }
    if (backend->connection != NULL) {
        refuse(backend, descriptor);
        return;
    }
    int64_t uid = uid_of_peer(descriptor);
    if (!connection_open(backend, descriptor, uid)) {
        HUB_LOG(backend->hub, HUB_MESSAGE_MEMORY, LOG_FIELDS(log_string("backend", backend->config->name)),
                "memory is short, a connection is refused");
        close(descriptor);
        return;
    }
    backend_flush(backend);
}

static void pause_accepting(struct backend_listener *listener, int error_number)
{
    const struct backend *backend = listener->backend;
    HUB_LOG(backend->hub, HUB_MESSAGE_ACCEPT,
            LOG_FIELDS(log_string("backend", backend->config->name), log_system_error(error_number)),
            "cannot accept a backend's connection");
    (void)uv_poll_stop(&listener->poll);
    listener->paused = true;
    hub_tick_soon(backend->hub);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct backend_listener *listener = poll->data;
    struct backend *backend = listener->backend;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int descriptor = accept4(listener->socket.descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            welcome(backend, descriptor);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno != EAGAIN)
                pause_accepting(listener, errno);
            return;
        }
    }
}

static void on_closed(uv_handle_t *handle)
{
    const struct backend_listener *listener = handle->data;
    hub_handle_closed(listener->backend->hub);
}

bool backend_listener_open(struct backend_listener *listener, struct backend *backend, struct error_text *error)
{
    listener->backend = backend;
    listener->socket = (struct unix_listener)UNIX_LISTENER_INITIALIZER;
    const struct unix_listener_settings settings = {
        .path = backend->config->socket,
        .mode = backend->config->mode,
        .group = backend->config->group,
        .backlog = BACKLOG,
    };
    if (!unix_listener_open(&settings, &listener->socket, error))
        return false;
    int result = uv_poll_init(backend->hub->loop, &listener->poll, listener->socket.descriptor);
    if (result != 0) {
        error_text_set(error, "cannot watch %s: %s", backend->config->socket, uv_strerror(result));
        unix_listener_close(&listener->socket);
        return false;
    }
    hub_handle_opened(backend->hub);
    listener->open = true;
    listener->poll.data = listener;
    result = uv_poll_start(&listener->poll, UV_READABLE, on_connection);
    if (result != 0) {
        error_text_set(error, "cannot watch %s: %s", backend->config->socket, uv_strerror(result));
        backend_listener_close(listener);
        return false;
    }
    return true;
}

void backend_listener_close(struct backend_listener *listener)
{
    if (!listener->open)
        return;
    listener->open = false;
    uv_close((uv_handle_t *)&listener->poll, on_closed);
    unix_listener_close(&listener->socket);
}

void backend_listener_resume(struct backend_listener *listener)
{
    if (listener->open && listener->paused && uv_poll_start(&listener->poll, UV_READABLE, on_connection) == 0)
        listener->paused = false;
}
