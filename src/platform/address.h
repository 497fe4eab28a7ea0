#ifndef PLATFORM_ADDRESS_H
#define PLATFORM_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* A transport address as plain bytes. Everything here and in address_prefix.h and address_text.h is a pure function
 * without system calls, so that rooms without I/O may use it. */

/* IPv4 is held as ::ffff:a.b.c.d, so there is one form for each host. No padding: may be hashed and compared as
 * bytes. */
struct address {
    uint8_t bytes[16]; /* network order */
    uint16_t port;     /* host order */
};

_Static_assert(sizeof(struct address) == 18, "an address has no padding");

struct address address_from_ipv4(const uint8_t bytes[static 4], uint16_t port);

bool address_is_ipv4(const struct address *address);

/* The IPv4 bytes of an address for which address_is_ipv4() holds. */
const uint8_t *address_ipv4_bytes(const struct address *address);

/* fe80::/10: replies to it need the interface it was heard on. */
bool address_is_link_local(const struct address *address);

/* The address by which limits, lockouts and CIDRs know a host (docs/security.md rule 7): 64:ff9b::/96 becomes the
 * IPv4 address in it. Replies go to the address as it came, not to this one. */
struct address address_normalised(const struct address *address);

/* Bytes and port. */
bool address_equal(const struct address *a, const struct address *b);

/* Bytes only. */
bool address_same_host(const struct address *a, const struct address *b);

/* Less than, equal to, greater than 0: by bytes, then by port. A total order without further meaning. */
int address_compare(const struct address *a, const struct address *b);

#endif
