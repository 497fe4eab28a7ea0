#include "worker/stream_connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/socket_address.h"

/* A write that the kernel did not take whole; the bytes follow. */
struct queued_write {
    uv_write_t request;
    struct stream_connection *connection;
    size_t size;
    uint8_t bytes[];
};

static void forget_kept(struct stream_connection *connection)
{
    free(connection->kept);
    connection->kept = NULL;
    connection->kept_size = 0;
}

static void enter_list(struct stream_connection *connection)
{
    struct stream_connections *connections = connection->connections;
    connection->older = connections->newest;
    if (connection->older != NULL) {
        connection->older->newer = connection;
    }
    connections->newest = connection;
    connections->count++;
}

static void leave_list(struct stream_connection *connection)
{
    struct stream_connections *connections = connection->connections;
    if (connection->older != NULL) {
        connection->older->newer = connection->newer;
    }
    *(connection->newer != NULL ? &connection->newer->older : &connections->newest) = connection->older;
    connections->count--;
}

static void on_closed(uv_handle_t *handle)
{
    struct stream_connection *connection = handle->data;
    leave_list(connection);
    forget_kept(connection);
    free(connection);
}

static void enter_resumed(struct stream_connection *connection)
{
    struct stream_connections *connections = connection->connections;
    connection->is_resumed = true;
    connection->resumed_next = NULL;
    connection->resumed_before = connections->resumed_last;
    *(connections->resumed_last != NULL ? &connections->resumed_last->resumed_next : &connections->resumed_first) =
        connection;
    connections->resumed_last = connection;
}

static void leave_resumed(struct stream_connection *connection)
{
    struct stream_connections *connections = connection->connections;
    if (!connection->is_resumed) {
        return;
    }
    connection->is_resumed = false;
    *(connection->resumed_before != NULL ? &connection->resumed_before->resumed_next : &connections->resumed_first) =
        connection->resumed_next;
    *(connection->resumed_next != NULL ? &connection->resumed_next->resumed_before : &connections->resumed_last) =
        connection->resumed_before;
}

void stream_connection_close(struct stream_connection *connection)
{
    connection->stream = NULL;
    leave_resumed(connection);
    if (!uv_is_closing((uv_handle_t *)&connection->handle)) {
        uv_close((uv_handle_t *)&connection->handle, on_closed);
    }
}

void stream_connections_close_all(struct stream_connections *connections)
{
    for (struct stream_connection *connection = connections->newest; connection != NULL;
         connection = connection->older) {
        stream_connection_close(connection);
    }
}

/* The peer is gone: the shard hears of it, and then the handle goes. */
static void lose(struct stream_connection *connection)
{
    struct stream_connections *connections = connection->connections;
    struct shard_stream *stream = connection->stream;
    stream_connection_close(connection);
    if (stream != NULL) {
        shard_stream_lost(connections->shard, stream, connections->now(connections->context));
    }
}

/* What was not consumed stays with the connection until more comes. */
static bool keep(struct stream_connection *connection, const uint8_t *bytes, size_t size)
{
    uint8_t *kept = NULL;
    if (size > 0) {
        assert(bytes != NULL);
        kept = malloc(size);
        if (kept == NULL) {
            return false;
        }
        memcpy(kept, bytes, size);
    }
    free(connection->kept);
    connection->kept = kept;
    connection->kept_size = size;
    return true;
}

static void on_readable(uv_stream_t *handle, ssize_t size, const uv_buf_t *buffer);

/* libuv reads behind what was kept, so that a frame in two pieces is whole in one place. It would go on reading as long
 * as whole buffers come, up to 32 of them; without a buffer it stops until the next turn. */
static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct stream_connection *connection = handle->data;
    struct stream_connections *connections = connection->connections;
    assert(connection->kept_size < SHARD_DATAGRAM_MAX);
    if (connection->read_in == connections->turn) {
        *buffer = uv_buf_init(NULL, 0);
        return;
    }
    buffer->base = (char *)connections->buffer + connection->kept_size;
    buffer->len = STREAM_READ_SIZE;
}

static void feed(struct stream_connection *connection, const uint8_t *bytes, size_t size)
{
    struct stream_connections *connections = connection->connections;
    size_t consumed = 0;
    enum shard_reading reading = shard_stream_bytes(connections->shard, connection->stream, bytes, size, &consumed,
                                                    connections->now(connections->context));
    if (reading == SHARD_READ_CLOSED) {
        return;
    }
    if (!keep(connection, bytes + consumed, size - consumed)) {
        lose(connection);
        return;
    }
    if (reading == SHARD_READ_PAUSED && !connection->paused) {
        connection->paused = true;
        uv_read_stop((uv_stream_t *)&connection->handle);
    } else if (reading == SHARD_READ_ON && connection->paused) {
        connection->paused = false;
        if (uv_read_start((uv_stream_t *)&connection->handle, on_allocate, on_readable) != 0) {
            lose(connection);
        }
    }
}

static void on_readable(uv_stream_t *handle, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    struct stream_connection *connection = handle->data;
    struct stream_connections *connections = connection->connections;
    if (size == UV_ENOBUFS) {
        return;
    }
    if (size < 0) {
        lose(connection);
    } else if (size > 0) {
        connection->read_in = connections->turn;
        if (connection->kept_size > 0) {
            memcpy(connections->buffer, connection->kept, connection->kept_size);
        }
        feed(connection, connections->buffer, connection->kept_size + (size_t)size);
    }
}

void stream_connection_resume(struct stream_connection *connection)
{
    bool is_closing = connection->stream == NULL;
    if (connection->paused && !connection->is_resumed && !is_closing) {
        enter_resumed(connection);
    }
}

/* One at a time from the list: feeding one may close another. Kept bytes are fed from where they are; `keep` puts what
 * is left in a new place before it frees this one. */
void stream_connections_feed_resumed(struct stream_connections *connections)
{
    while (connections->resumed_first != NULL) {
        struct stream_connection *connection = connections->resumed_first;
        leave_resumed(connection);
        feed(connection, connection->kept, connection->kept_size);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct queued_write *write = request->data;
    struct stream_connection *connection = write->connection;
    connection->queued -= write->size;
    free(write);
    if (connection->stream == NULL) {
        return;
    }
    if (status != 0) {
        lose(connection);
    } else if (connection->queued == 0) {
        struct stream_connections *connections = connection->connections;
        shard_stream_drained(connections->shard, connection->stream, connections->now(connections->context));
    }
}

static enum shard_written queue(struct stream_connection *connection, const uint8_t *bytes, size_t size)
{
    if (connection->queued + size > SHARD_STREAM_QUEUE_MAX) {
        return SHARD_FAILED;
    }
    struct queued_write *write = malloc(sizeof *write + size);
    if (write == NULL) {
        return SHARD_FAILED;
    }
    write->request.data = write;
    write->connection = connection;
    write->size = size;
    memcpy(write->bytes, bytes, size);
    uv_buf_t buffer = uv_buf_init((char *)write->bytes, (unsigned)size);
    if (uv_write(&write->request, (uv_stream_t *)&connection->handle, &buffer, 1, on_written) != 0) {
        free(write);
        return SHARD_FAILED;
    }
    connection->queued += size;
    return SHARD_QUEUED;
}

enum shard_written stream_connection_write(struct stream_connection *connection, const uint8_t *bytes, size_t size)
{
    size_t taken = 0;
    if (connection->queued == 0) {
        /* libuv's buffers are not const; it only reads from them. */
        union {
            const uint8_t *in;
            char *out;
        } base = {.in = bytes};
        uv_buf_t buffer = uv_buf_init(base.out, (unsigned)size);
        int result = uv_try_write((uv_stream_t *)&connection->handle, &buffer, 1);
        if (result < 0 && result != UV_EAGAIN) {
            return SHARD_FAILED;
        }
        taken = result < 0 ? 0 : (size_t)result;
    }
    return taken == size ? SHARD_WRITTEN : queue(connection, bytes + taken, size - taken);
}

static bool peer_of(const uv_tcp_t *handle, struct address *peer)
{
    struct sockaddr_storage name;
    int length = sizeof name;
    return uv_tcp_getpeername(handle, (struct sockaddr *)&name, &length) == 0 &&
           socket_address_import((struct sockaddr *)&name, (socklen_t)length, peer);
}

/* The shard says first whether it wants the peer; only then is anything read. */
static void greet(struct stream_connection *connection)
{
    struct stream_connections *connections = connection->connections;
    struct address peer;
    if (peer_of(&connection->handle, &peer)) {
        connection->stream =
            shard_stream_open(connections->shard, &peer, connection, connections->now(connections->context));
    }
    if (connection->stream == NULL) {
        stream_connection_close(connection);
        return;
    }
    if (uv_read_start((uv_stream_t *)&connection->handle, on_allocate, on_readable) != 0) {
        lose(connection);
    }
}

void stream_connections_begin_turn(struct stream_connections *connections)
{
    connections->turn++;
}

void stream_connection_open(struct stream_connections *connections, int descriptor)
{
    struct stream_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        close(descriptor);
        return;
    }
    connection->connections = connections;
    if (uv_tcp_init(connections->loop, &connection->handle) != 0) {
        free(connection);
        close(descriptor);
        return;
    }
    connection->handle.data = connection;
    enter_list(connection);
    if (uv_tcp_open(&connection->handle, descriptor) == 0) {
        greet(connection);
    } else {
        close(descriptor);
        stream_connection_close(connection);
    }
}
