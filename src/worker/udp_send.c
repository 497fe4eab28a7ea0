#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "platform/socket_address.h"
#include "worker/udp_socket_internal.h"

/* Where in a slot's control message the address to send from is written. */
static uint8_t *control_data(struct udp_send_slot *slot)
{
    return slot->control + CMSG_LEN(0);
}

static void prepare_control(struct udp_send_slot *slot, int family)
{
    const struct cmsghdr header = family == AF_INET6
                                      ? (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo)),
                                                         .cmsg_level = IPPROTO_IPV6,
                                                         .cmsg_type = IPV6_PKTINFO}
                                      : (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
                                                         .cmsg_level = IPPROTO_IP,
                                                         .cmsg_type = IP_PKTINFO};
    memcpy(slot->control, &header, sizeof header);
}

void udp_send_prepare(struct udp_socket *socket)
{
    for (size_t i = 0; i < UDP_SOCKET_BATCH; i++) {
        struct udp_send_slot *slot = &socket->send_slots[i];
        struct msghdr *header = &socket->send_headers[i].msg_hdr;
        prepare_control(slot, socket->family);
        slot->part.iov_base = slot->bytes;
        header->msg_name = &slot->peer;
        header->msg_iov = &slot->part;
        header->msg_iovlen = 1;
        header->msg_control = slot->control;
    }
}

static bool is_unset(const struct address *address)
{
    static const uint8_t ZEROS[16] = {0};
    return memcmp(address->bytes, ZEROS, sizeof ZEROS) == 0;
}

/* Returns the length of the control messages; 0: the kernel chooses the address to send from. */
static size_t write_source(const struct udp_socket *socket, struct udp_send_slot *slot, const struct shard_path *path)
{
    if (is_unset(&path->local))
        return 0;
    if (socket->family == AF_INET6) {
        struct in6_pktinfo info = {.ipi6_ifindex = path->interface};
        memcpy(&info.ipi6_addr, path->local.bytes, sizeof info.ipi6_addr);
        memcpy(control_data(slot), &info, sizeof info);
        return CMSG_SPACE(sizeof info);
    }
    if (!address_is_ipv4(&path->local))
        return 0;
    struct in_pktinfo info = {.ipi_ifindex = 0};
    memcpy(&info.ipi_spec_dst, address_ipv4_bytes(&path->local), sizeof info.ipi_spec_dst);
    memcpy(control_data(slot), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

void udp_socket_queue(struct udp_socket *socket, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    assert(size <= UDP_SOCKET_DATAGRAM_MAX);
    if (socket->queued == UDP_SOCKET_BATCH)
        udp_socket_flush(socket);
    struct udp_send_slot *slot = &socket->send_slots[socket->queued];
    struct msghdr *header = &socket->send_headers[socket->queued].msg_hdr;
    header->msg_namelen = socket_address_export(&path->peer, socket->family, path->interface, &slot->peer);
    if (header->msg_namelen == 0) {
        socket->counters.send_refused++;
        return;
    }
    header->msg_controllen = write_source(socket, slot, path);
    if (size > 0)
        memcpy(slot->bytes, bytes, size);
    slot->part.iov_len = size;
    socket->queued++;
}

/* How many of the datagrams from `first` on are dealt with: sent, or given up and counted. sendmmsg() says what was
 * wrong with a datagram only when that was the first one. */
static size_t send_some(struct udp_socket *socket, size_t first)
{
    size_t left = socket->queued - first;
    int sent = sendmmsg(socket->descriptor, socket->send_headers + first, (unsigned)left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
        socket->counters.sent += (uint64_t)sent;
        return (size_t)sent;
    }
    if (sent == 0 || errno == EINTR)
        return 0;
    if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
        socket->counters.send_full += left;
        return left;
    }
    socket->counters.send_refused++;
    return 1;
}

void udp_socket_flush(struct udp_socket *socket)
{
    size_t done = 0;
    while (done < socket->queued)
        done += send_some(socket, done);
    socket->queued = 0;
}
