#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "platform/socket_address.h"
#include "worker/udp_socket_internal.h"

/* recvmmsg() overwrites the lengths with what it found. */
static void reset_header(struct udp_socket *socket, size_t index)
{
    struct msghdr *header = &socket->receive_headers[index].msg_hdr;
    header->msg_namelen = sizeof socket->receive_slots[index].peer;
    header->msg_controllen = sizeof socket->receive_slots[index].control;
}

void udp_receive_prepare(struct udp_socket *socket)
{
    for (size_t i = 0; i < UDP_SOCKET_BATCH; i++) {
        struct udp_receive_slot *slot = &socket->receive_slots[i];
        struct msghdr *header = &socket->receive_headers[i].msg_hdr;
        slot->part = (struct iovec){.iov_base = slot->bytes, .iov_len = sizeof slot->bytes};
        header->msg_name = &slot->peer;
        header->msg_iov = &slot->part;
        header->msg_iovlen = 1;
        header->msg_control = slot->control;
        reset_header(socket, i);
    }
}

static void set_local(struct udp_socket *socket, const uint8_t bytes[static 16], uint32_t interface,
                      struct shard_path *path)
{
    memcpy(path->local.bytes, bytes, sizeof path->local.bytes);
    path->local.port = socket->local.port;
    if (address_is_link_local(&path->local) || address_is_link_local(&path->peer))
        path->interface = interface;
}

static void take_ipv6_destination(struct udp_socket *socket, const struct cmsghdr *message, struct shard_path *path)
{
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(message), sizeof info);
    set_local(socket, info.ipi6_addr.s6_addr, info.ipi6_ifindex, path);
}

static void take_ipv4_destination(struct udp_socket *socket, const struct cmsghdr *message, struct shard_path *path)
{
    struct in_pktinfo info;
    uint8_t bytes[4];
    memcpy(&info, CMSG_DATA(message), sizeof info);
    /* Not the destination in the header, which may be a broadcast address that nothing can be sent from. */
    memcpy(bytes, &info.ipi_spec_dst, sizeof bytes);
    path->local = address_from_ipv4(bytes, socket->local.port);
}

static void take_kernel_drops(struct udp_socket *socket, const struct cmsghdr *message)
{
    uint32_t drops;
    memcpy(&drops, CMSG_DATA(message), sizeof drops);
    socket->counters.receive_dropped += (uint32_t)(drops - socket->kernel_drops);
    socket->kernel_drops = drops;
}

static void read_control(struct udp_socket *socket, struct msghdr *header, struct shard_path *path)
{
    for (struct cmsghdr *message = CMSG_FIRSTHDR(header); message != NULL; message = CMSG_NXTHDR(header, message)) {
        if (message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_PKTINFO)
            take_ipv6_destination(socket, message, path);
        else if (message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_PKTINFO)
            take_ipv4_destination(socket, message, path);
        else if (message->cmsg_level == SOL_SOCKET && message->cmsg_type == SO_RXQ_OVFL)
            take_kernel_drops(socket, message);
    }
}

/* False: not from an Internet address, which the kernel never says. */
static bool read_datagram(struct udp_socket *socket, size_t index, struct udp_datagram *datagram)
{
    struct mmsghdr *received = &socket->receive_headers[index];
    const struct udp_receive_slot *slot = &socket->receive_slots[index];
    *datagram = (struct udp_datagram){.bytes = slot->bytes, .size = received->msg_len};
    if (!socket_address_import((const struct sockaddr *)&slot->peer, received->msg_hdr.msg_namelen,
                               &datagram->path.peer))
        return false;
    datagram->path.local.port = socket->local.port;
    read_control(socket, &received->msg_hdr, &datagram->path);
    datagram->oversized = received->msg_len > UDP_SOCKET_DATAGRAM_MAX || (received->msg_hdr.msg_flags & MSG_TRUNC) != 0;
    return true;
}

static size_t receive_batch(struct udp_socket *socket)
{
    for (;;) {
        int count = recvmmsg(socket->descriptor, socket->receive_headers, UDP_SOCKET_BATCH, MSG_DONTWAIT, NULL);
        if (count >= 0)
            return (size_t)count;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            socket->counters.receive_errors++;
        return 0;
    }
}

size_t udp_socket_receive(struct udp_socket *socket, struct udp_datagram datagrams[static UDP_SOCKET_BATCH])
{
    for (size_t i = 0; i < socket->received; i++)
        reset_header(socket, i);
    socket->received = receive_batch(socket);
    socket->counters.received += socket->received;
    size_t count = 0;
    for (size_t i = 0; i < socket->received; i++)
        if (read_datagram(socket, i, &datagrams[count]))
            count++;
    return count;
}
