/* The addresses of a story. Hosts are numbered; what stands behind one is an IPv4 address, an IPv6 /64 or a NAT64
 * prefix, by its number. Strangers, where nobody lives, have addresses of their own. */
#ifndef TESTS_HOSTILE_HOST_H
#define TESTS_HOSTILE_HOST_H

#include <stdint.h>

#include "gateway/random_numbers.h"
#include "platform/address.h"

#define HOST_MAX 240u
#define HOST_FIRST_ODD 100u /* from here on those behind which something may go wrong */

/* `inhabitant` tells those behind one IPv6 /64 apart; behind the other kinds it is a matter of the port. */
struct address host_address(unsigned host, unsigned inhabitant, uint16_t port);
/* Any address of nobody. */
struct address host_stranger(struct random_numbers *numbers);

#endif
