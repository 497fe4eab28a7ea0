#ifndef PLATFORM_ADDRESS_PREFIX_H
#define PLATFORM_ADDRESS_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"

/* Networks: the keys by which hosts are counted, and CIDRs from the configuration. */

/* Bits after the prefix are zero. No padding: may be hashed and compared as bytes, and prefixes of different
 * lengths never are the same key. */
struct address_prefix {
    uint8_t bytes[16];
    uint8_t length; /* in the 128-bit space: a.b.c.d/24 has 120 */
};

_Static_assert(sizeof(struct address_prefix) == 17, "a prefix has no padding");

/* The network of an address. The address is normalised first, then an IPv4 one is cut to `ipv4_length` (0–32) and an
 * IPv6 one to `ipv6_length` (0–128) bits. */
struct address_prefix address_prefix_of(const struct address *address, unsigned ipv4_length, unsigned ipv6_length);

/* One customer (docs/security.md rule 7): an IPv4 address, or an IPv6 /64. */
struct address_prefix address_prefix_host(const struct address *address);

/* One site (rule 7): an IPv4 address, or an IPv6 /48. */
struct address_prefix address_prefix_site(const struct address *address);

bool address_prefix_equal(const struct address_prefix *a, const struct address_prefix *b);

/* The address is normalised first. An IPv6 network, ::/0 too, contains no IPv4 address. */
bool address_prefix_contains(const struct address_prefix *prefix, const struct address *address);
/* One of several does. */
bool address_prefixes_contain(const struct address_prefix *prefixes, size_t count, const struct address *address);

/* Reads "192.0.2.0/24", "2001:db8::/32", or an address alone for one host. Bits after the prefix are cleared, and a
 * network within ::ffff:0:0/96 or 64:ff9b::/96 becomes an IPv4 network. False, and `prefix` untouched, for anything
 * else. */
bool address_prefix_parse(const char *text, struct address_prefix *prefix) __attribute__((warn_unused_result));

#endif
