/* A link over UDP: a frame or a UTACK in each datagram (docs/protocol.md sections 1 and 4). */
#include "usmp/link_internal.h"

#include <errno.h>
#include <poll.h>

#define DATAGRAMS_AT_ONCE 16
#define DATAGRAM_SIZE 2048 /* more than any frame has; one that is cut is none */

void link_datagram_send(struct link *link, const uint8_t *bytes, size_t size)
{
    if (send(link->socket, bytes, size, MSG_NOSIGNAL) >= 0)
        return;
    /* As if it were lost on the way: it will be repeated. */
    if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
        return;
    link_finish_with_error(link, errno);
}

static void take_datagram(struct link *link, const uint8_t *bytes, size_t size, uint64_t now)
{
    struct usmp_frame frame;
    if (size >= 2 && bytes[0] == USMP_UTACK_MAGIC && bytes[1] == USMP_UTACK_MAGIC)
        link_follow(link, usmp_device_receive_utack(&link->device, bytes, size, now), now);
    else if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE)
        link_take_frame(link, &frame, now);
}

void link_datagram_service(struct link *link, short events, uint64_t now)
{
    if (events == 0)
        return;
    for (int i = 0; i < DATAGRAMS_AT_ONCE && !link_is_over(link); i++) {
        uint8_t bytes[DATAGRAM_SIZE];
        ssize_t count = recv(link->socket, bytes, sizeof bytes, 0);
        if (count >= 0) {
            take_datagram(link, bytes, (size_t)count, now);
        } else if (errno != EINTR) {
            if (errno != EAGAIN)
                link_finish_with_error(link, errno);
            return;
        }
    }
}
