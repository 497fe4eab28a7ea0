#include "delivery/connection_output.h"

#include <errno.h>
#include <sys/socket.h>

#include "delivery/backend.h"
#include "delivery/connection.h"

/* Where the next bytes come from. A line that was begun is finished before anything else is written: answers are only
 * begun between two lines of events, and then all of them are written. */
static bool answers_are_next(const struct connection *connection)
{
    return connection->answers.size > 0 && flight_is_between_lines(&connection->backend->flight);
}

/* Makes lines if there are none. False if that needs memory which there is not. */
static bool prepare(struct connection *connection)
{
    struct backend *backend = connection->backend;
    if (connection->answers.size > 0 || !flight_is_empty(&backend->flight))
        return true;
    if (session_list_goes_first(&connection->list, &backend->lists))
        return session_list_write(&connection->list, &backend->lists, &connection->answers) !=
               SESSION_LIST_SHORT_OF_MEMORY;
    backend_fill(backend);
    return true;
}

static bool has_nothing(const struct connection *connection)
{
    return connection->answers.size == 0 && flight_is_empty(&connection->backend->flight) &&
           !session_list_goes_first(&connection->list, &connection->backend->lists);
}

/* What send() said, with 0 for "later". */
static ssize_t write_once(struct connection *connection)
{
    struct backend *backend = connection->backend;
    bool answers = answers_are_next(connection);
    size_t size;
    const void *bytes =
        answers ? (const void *)byte_fifo_peek(&connection->answers, &size) : flight_unsent(&backend->flight, &size);
    if (size == 0)
        return 1; /* a list that has passed over sessions of other backends */
    ssize_t sent = send(connection->descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (answers)
        byte_fifo_drop(&connection->answers, (size_t)sent);
    else
        backend_sent(backend, (size_t)sent);
    return sent;
}

enum connection_output_verdict connection_output_write(struct connection *connection, unsigned *writes)
{
    while (!connection->gone) {
        if (!prepare(connection)) {
            connection_vanish(connection);
            break;
        }
        if (has_nothing(connection))
            return CONNECTION_OUTPUT_DONE;
        if (*writes == 0)
            return CONNECTION_OUTPUT_MORE;
        (*writes)--;
        ssize_t sent = write_once(connection);
        if (sent == 0)
            return CONNECTION_OUTPUT_BLOCKED;
        if (sent < 0)
            connection_vanish(connection);
    }
    return CONNECTION_OUTPUT_GONE;
}
