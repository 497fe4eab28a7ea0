#ifndef WORKER_UDP_SOCKET_INTERNAL_H
#define WORKER_UDP_SOCKET_INTERNAL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "worker/udp_socket.h"

/* What udp_socket.c, udp_receive.c and udp_send.c share. Needs _GNU_SOURCE. */

/* A little more than the longest datagram, so that MSG_TRUNC is rare, and whole cache lines. */
#define UDP_RECEIVE_SIZE 576

/* One of IP_PKTINFO and IPV6_PKTINFO, and SO_RXQ_OVFL. */
#define UDP_RECEIVE_CONTROL_SIZE (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t)))
#define UDP_SEND_CONTROL_SIZE CMSG_SPACE(sizeof(struct in6_pktinfo))

/* The kernel writes and reads control messages as struct cmsghdr and what follows: aligned for both. */
struct udp_receive_slot {
    uint8_t bytes[UDP_RECEIVE_SIZE];
    struct sockaddr_storage peer;
    _Alignas(struct cmsghdr) uint8_t control[UDP_RECEIVE_CONTROL_SIZE];
    struct iovec part;
};

struct udp_send_slot {
    uint8_t bytes[UDP_SOCKET_DATAGRAM_MAX];
    struct sockaddr_storage peer;
    _Alignas(struct cmsghdr) uint8_t control[UDP_SEND_CONTROL_SIZE];
    struct iovec part;
};

struct udp_socket {
    int descriptor;
    int family;
    struct address local;
    uint32_t kernel_drops; /* as the kernel counts them, which wraps */
    size_t received;       /* headers in use since the last receive, to be set up anew */
    size_t queued;
    struct udp_socket_counters counters;
    struct mmsghdr receive_headers[UDP_SOCKET_BATCH];
    struct mmsghdr send_headers[UDP_SOCKET_BATCH];
    struct udp_receive_slot receive_slots[UDP_SOCKET_BATCH];
    struct udp_send_slot send_slots[UDP_SOCKET_BATCH];
};

/* Once, when descriptor, family and local are known. */
void udp_receive_prepare(struct udp_socket *socket);
void udp_send_prepare(struct udp_socket *socket);

#endif
