#include "delivery/connection.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delivery/answer_ndjson.h"
#include "delivery/backend.h"
#include "delivery/command_run.h"
#include "delivery/connection_output.h"
#include "delivery/hub_state.h"
#include "platform/clock.h"
#include "platform/log.h"

#define ANSWER_CHUNK 16384u
#define ANSWERS_PAUSE 65536u /* bytes; pending commands may add what the answers to them take */
#define WRITES_PER_TURN 8u   /* of up to 64 KiB: other backends and the devices come first then */
#define LAST_READS 64u       /* of what a peer that has gone left in the socket */

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct hub *hub = connection->backend->hub;
    free(connection);
    hub_handle_closed(hub);
}

static void log_connection(const struct connection *connection, const char *message)
{
    log_write(LOG_LEVEL_INFO,
              LOG_FIELDS(log_string("backend", connection->backend->config->name), log_number("uid", connection->uid)),
              "%s", message);
}

static void greet(struct connection *connection)
{
    const struct backend *backend = connection->backend;
    const struct answer_hello hello = {
        .version = backend->hub->settings.version,
        .backend = backend->config->name,
        .epoch = backend->hub->epoch,
        .next_id = backend_next_id(backend),
    };
    char line[ANSWER_NDJSON_LINE_MAX];
    connection_answer(connection, line, answer_ndjson_hello(&hello, line));
}

bool connection_open(struct backend *backend, int descriptor, int64_t uid)
{
    assert(backend->connection == NULL);
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL)
        return false;
    connection->backend = backend;
    connection->descriptor = descriptor;
    connection->watched = 0;
    connection->uid = uid;
    connection->number = backend->connections + 1;
    connection->input_ended = false;
    connection->reading_paused = false;
    connection->gone = false;
    line_reader_clear(&connection->reader);
    session_list_open(&connection->list);
    byte_fifo_open(&connection->answers, ANSWER_CHUNK);
    if (uv_poll_init(backend->hub->loop, &connection->poll, descriptor) != 0) {
        free(connection);
        return false;
    }
    connection->poll.data = connection;
    hub_handle_opened(backend->hub);
    backend->connection = connection;
    backend->connections = connection->number;
    backend->counters.connected = true;
    log_connection(connection, "backend connected");
    greet(connection);
    return true;
}

void connection_end(struct connection *connection)
{
    struct backend *backend = connection->backend;
    assert(backend->connection == connection);
    backend->connection = NULL;
    backend->counters.connected = false;
    flight_rewind(&backend->flight);
    session_list_close(&connection->list, &backend->lists);
    byte_fifo_close(&connection->answers);
    uv_close((uv_handle_t *)&connection->poll, on_closed);
    close(connection->descriptor);
    log_connection(connection, "backend disconnected");
}

void connection_answer(struct connection *connection, const char *line, size_t size)
{
    if (connection->gone)
        return;
    if (!byte_fifo_reserve(&connection->answers, size)) {
        HUB_LOG(connection->backend->hub, HUB_MESSAGE_MEMORY,
                LOG_FIELDS(log_string("backend", connection->backend->config->name)),
                "memory is short for an answer, the backend's connection is closed");
        connection_vanish(connection);
        return;
    }
    byte_fifo_append(&connection->answers, line, size);
}

bool connection_is_hung_up(const struct connection *connection)
{
    struct pollfd poll_descriptor = {.fd = connection->descriptor, .events = 0};
    return poll(&poll_descriptor, 1, 0) > 0 && (poll_descriptor.revents & (POLLHUP | POLLERR)) != 0;
}

void connection_vanish(struct connection *connection)
{
    connection->gone = true;
}

bool connection_is_answered(const struct connection *connection)
{
    return connection->answers.size == 0 && connection->list.count == 0;
}

static bool reads_commands(const struct connection *connection)
{
    return !connection->reading_paused && !connection->backend->hub->draining;
}

/* Carries out the lines that are there. True if some are left because answers have to go out first. */
static bool run_lines(struct connection *connection)
{
    if (connection->backend->hub->draining)
        return false;
    for (;;) {
        if (!connection->gone && connection->answers.size > ANSWERS_PAUSE)
            connection->reading_paused = true;
        if (connection->reading_paused && !connection->gone)
            return true;
        const char *line;
        size_t size;
        switch (line_reader_next(&connection->reader, &line, &size)) {
        case LINE_READER_LINE:
            command_run(connection, line, size);
            break;
        case LINE_READER_TOO_LONG:
            command_refuse_long_line(connection);
            break;
        case LINE_READER_NOTHING:
            /* A line that was cut off is no JSON object, so a last one that is one was meant as it stands. */
            if (connection->input_ended && line_reader_rest(&connection->reader, &line, &size))
                command_run(connection, line, size);
            return false;
        }
    }
}

/* Reads once. False if there is nothing to read. */
static bool receive(struct connection *connection)
{
    size_t room;
    char *space = line_reader_space(&connection->reader, &room);
    if (room == 0 || connection->input_ended)
        return false;
    ssize_t received = recv(connection->descriptor, space, room, MSG_DONTWAIT);
    if (received > 0) {
        line_reader_filled(&connection->reader, (size_t)received);
        return true;
    }
    if (received == 0) {
        connection->input_ended = true;
        if (connection_is_hung_up(connection))
            connection_vanish(connection);
    } else if (errno != EAGAIN && errno != EINTR) {
        connection->input_ended = true;
        connection_vanish(connection);
    }
    return false;
}

/* What the peer asked for before it went is still done. */
static void run_last_lines(struct connection *connection)
{
    for (unsigned i = 0; i < LAST_READS; i++) {
        (void)run_lines(connection);
        if (!receive(connection))
            break;
    }
    (void)run_lines(connection);
}

static void on_event(uv_poll_t *poll, int status, int events);

/* Without anything to wait for, what is watched for is a kind of data that Unix sockets hardly have: libuv then still
 * tells that the peer has gone, which is all that is of interest. */
static void watch(struct connection *connection, bool for_writing)
{
    int events = for_writing ? UV_WRITABLE : 0;
    if (!connection->input_ended && reads_commands(connection))
        events |= UV_READABLE;
    if (events == 0)
        events = UV_PRIORITIZED;
    if (events == connection->watched)
        return;
    connection->watched = events;
    if (uv_poll_start(&connection->poll, events, on_event) != 0)
        connection_vanish(connection);
}

void connection_serve(struct connection *connection)
{
    unsigned writes = WRITES_PER_TURN;
    bool lines_left;
    enum connection_output_verdict output;
    do {
        lines_left = run_lines(connection);
        output = connection_output_write(connection, &writes);
        if (connection->answers.size == 0)
            connection->reading_paused = false;
    } while (lines_left && output == CONNECTION_OUTPUT_DONE);
    if (output != CONNECTION_OUTPUT_GONE)
        watch(connection, output != CONNECTION_OUTPUT_DONE);
    if (connection->gone) {
        run_last_lines(connection);
        connection_end(connection);
    }
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    struct backend *backend = connection->backend;
    if (status < 0)
        connection_vanish(connection);
    if ((events & UV_READABLE) != 0)
        (void)receive(connection);
    else if ((events & UV_PRIORITIZED) != 0 && connection_is_hung_up(connection))
        connection_vanish(connection);
    backend_flush(backend);
    hub_look_for_end_of_draining(backend->hub);
}
