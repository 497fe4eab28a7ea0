/* A link over TCP: frames back to back (docs/protocol.md section 1). */
#include "usmp/link_internal.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>

void link_stream_open(struct link *link)
{
    /* A frame is written whole; there is nothing to wait for. Without it things are slower and no worse. */
    const int on = 1;
    (void)setsockopt(link->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void link_stream_send(struct link *link, const uint8_t *bytes, size_t size)
{
    struct link_stream *stream = &link->stream;
    assert(size <= sizeof stream->out - stream->out_size);
    memcpy(stream->out + stream->out_size, bytes, size);
    stream->out_size += size;
}

/* Whether a frame may be looked at now: whatever it is, there is room for what comes of it. */
static bool may_take_frame(const struct link *link)
{
    size_t room = sizeof link->stream.out - link->stream.out_size;
    if (room < USMP_FRAME_MAX)
        return false;
    return link->state != LINK_LIVE || link->receiver.has_room(link->receiver.context);
}

short link_stream_events(const struct link *link)
{
    if (link->state == LINK_CONNECTING)
        return POLLOUT;
    short events = 0;
    if (link->stream.out_size > 0)
        events |= POLLOUT;
    if (may_take_frame(link))
        events |= POLLIN;
    return events;
}

static void take_frames(struct link *link, uint64_t now)
{
    struct link_stream *stream = &link->stream;
    size_t used = 0;
    while ((link->state == LINK_OPENING || link->state == LINK_LIVE) && may_take_frame(link)) {
        struct usmp_frame frame;
        size_t total;
        enum usmp_frame_verdict verdict = usmp_frame_parse(stream->in + used, stream->in_size - used, &frame, &total);
        if (verdict == USMP_FRAME_INCOMPLETE)
            break;
        if (verdict != USMP_FRAME_COMPLETE) {
            link_finish(link, LINK_END_NOT_USMP);
            break;
        }
        used += total;
        link_take_frame(link, &frame, now);
    }
    if (link->state == LINK_CLOSING)
        used = stream->in_size;
    stream->in_size -= used;
    memmove(stream->in, stream->in + used, stream->in_size);
}

static void write_out(struct link *link)
{
    struct link_stream *stream = &link->stream;
    ssize_t written = send(link->socket, stream->out, stream->out_size, MSG_NOSIGNAL);
    if (written < 0) {
        if (errno != EAGAIN && errno != EINTR)
            link_finish_with_error(link, errno);
        return;
    }
    stream->out_size -= (size_t)written;
    memmove(stream->out, stream->out + written, stream->out_size);
    if (stream->out_size == 0)
        link->is_sending = false;
}

static void read_in(struct link *link)
{
    struct link_stream *stream = &link->stream;
    ssize_t count = recv(link->socket, stream->in + stream->in_size, sizeof stream->in - stream->in_size, 0);
    if (count > 0)
        stream->in_size += (size_t)count;
    else if (count == 0)
        link_finish(link, link->state == LINK_CLOSING ? LINK_END_CLOSED : LINK_END_HUNG_UP);
    else if (errno != EAGAIN && errno != EINTR)
        link_finish_with_error(link, errno);
}

static void finish_connecting(struct link *link, uint64_t now)
{
    int error;
    socklen_t length = sizeof error;
    if (getsockopt(link->socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (error != 0)
        link_finish_with_error(link, error);
    else
        link_begin_handshake(link, now);
}

void link_stream_service(struct link *link, short events, uint64_t now)
{
    if (link->state == LINK_CONNECTING) {
        if (events != 0)
            finish_connecting(link, now);
        return;
    }
    take_frames(link, now);
    if (link->stream.out_size > 0 && (events & POLLOUT) != 0)
        write_out(link);
    /* What had come before an error is still read: it may say why. */
    if (may_take_frame(link) && (events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        read_in(link);
        take_frames(link, now);
    }
    if (link->state == LINK_CLOSING && link->stream.out_size == 0 && !link->stream.is_shut) {
        link->stream.is_shut = true;
        (void)shutdown(link->socket, SHUT_WR); /* fails only where the gateway has gone, which read_in() sees */
    }
}
