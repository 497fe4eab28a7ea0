#ifndef PLATFORM_SOCKET_ADDRESS_H
#define PLATFORM_SOCKET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "platform/address.h"

/* Between struct address and what the kernel and libuv take. */

/* False, and `address` untouched, when it is not a whole AF_INET or AF_INET6 address. */
bool socket_address_import(const struct sockaddr *sockaddr, socklen_t length, struct address *address)
    __attribute__((warn_unused_result));

/* Writes the address for a socket of `family` and returns the length of it. AF_INET6 takes every address (IPv4 as a
 * mapped one); AF_INET takes IPv4 only and returns 0 for others. `interface` is the index for a link-local IPv6
 * address, otherwise unused. */
socklen_t socket_address_export(const struct address *address, int family, uint32_t interface,
                                struct sockaddr_storage *sockaddr) __attribute__((warn_unused_result));

/* The address that a socket is bound to. */
bool socket_address_local(int descriptor, struct address *address) __attribute__((warn_unused_result));

#endif
