#include "platform/socket_address.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

bool socket_address_import(const struct sockaddr *sockaddr, socklen_t length, struct address *address)
{
    /* Copied rather than cast: the caller's buffer need not be aligned for the family that is in it. */
    if (length >= sizeof(struct sockaddr_in) && sockaddr->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        uint8_t bytes[4];
        memcpy(&ipv4, sockaddr, sizeof ipv4);
        memcpy(bytes, &ipv4.sin_addr, sizeof bytes);
        *address = address_from_ipv4(bytes, ntohs(ipv4.sin_port));
        return true;
    }
    if (length >= sizeof(struct sockaddr_in6) && sockaddr->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, sockaddr, sizeof ipv6);
        memcpy(address->bytes, &ipv6.sin6_addr, sizeof address->bytes);
        address->port = ntohs(ipv6.sin6_port);
        return true;
    }
    return false;
}

socklen_t socket_address_export(const struct address *address, int family, uint32_t interface,
                                struct sockaddr_storage *sockaddr)
{
    if (family == AF_INET6) {
        struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
        memcpy(&ipv6.sin6_addr, address->bytes, sizeof address->bytes);
        if (address_is_link_local(address))
            ipv6.sin6_scope_id = interface;
        memcpy(sockaddr, &ipv6, sizeof ipv6);
        return sizeof ipv6;
    }
    assert(family == AF_INET);
    if (!address_is_ipv4(address))
        return 0;
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&ipv4.sin_addr, address_ipv4_bytes(address), sizeof ipv4.sin_addr);
    memcpy(sockaddr, &ipv4, sizeof ipv4);
    return sizeof ipv4;
}

bool socket_address_local(int descriptor, struct address *address)
{
    struct sockaddr_storage sockaddr;
    socklen_t length = sizeof sockaddr;
    if (getsockname(descriptor, (struct sockaddr *)&sockaddr, &length) != 0)
        return false;
    return socket_address_import((const struct sockaddr *)&sockaddr, length, address);
}
