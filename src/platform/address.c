#include "platform/address.h"

#include <assert.h>
#include <string.h>

static const uint8_t MAPPED_PREFIX[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t NAT64_PREFIX[12] = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};

struct address address_from_ipv4(const uint8_t bytes[static 4], uint16_t port)
{
    struct address address = {.port = port};
    memcpy(address.bytes, MAPPED_PREFIX, sizeof MAPPED_PREFIX);
    memcpy(address.bytes + sizeof MAPPED_PREFIX, bytes, 4);
    return address;
}

bool address_is_ipv4(const struct address *address)
{
    return memcmp(address->bytes, MAPPED_PREFIX, sizeof MAPPED_PREFIX) == 0;
}

const uint8_t *address_ipv4_bytes(const struct address *address)
{
    assert(address_is_ipv4(address));
    return address->bytes + sizeof MAPPED_PREFIX;
}

bool address_is_link_local(const struct address *address)
{
    return address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

struct address address_normalised(const struct address *address)
{
    if (memcmp(address->bytes, NAT64_PREFIX, sizeof NAT64_PREFIX) == 0)
        return address_from_ipv4(address->bytes + sizeof NAT64_PREFIX, address->port);
    return *address;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->port == b->port && address_same_host(a, b);
}

bool address_same_host(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

int address_compare(const struct address *a, const struct address *b)
{
    int order = memcmp(a->bytes, b->bytes, sizeof a->bytes);
    if (order != 0)
        return order;
    return (int)a->port - (int)b->port;
}
