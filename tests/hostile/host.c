#include "hostile/host.h"

#include <string.h>

static const uint8_t network[5] = {0x20, 0x01, 0x0d, 0xb8, 0};

struct address host_address(unsigned host, unsigned inhabitant, uint16_t port)
{
    struct address address = {.port = port};
    switch (host % 4) {
    case 2: /* 2001:db8:1:host::inhabitant; in a /48 of their own those of whom nothing good is expected */
        memcpy(address.bytes, network, sizeof network);
        address.bytes[5] = host < HOST_FIRST_ODD ? 1 : 3;
        address.bytes[7] = (uint8_t)host;
        address.bytes[15] = (uint8_t)(1 + inhabitant);
        return address;
    case 3: /* 64:ff9b::192.0.2.host */
        memcpy(address.bytes, (const uint8_t[4]){0x00, 0x64, 0xff, 0x9b}, 4);
        memcpy(address.bytes + 12, (const uint8_t[4]){192, 0, 2, (uint8_t)host}, 4);
        return address;
    default:
        return address_from_ipv4((const uint8_t[4]){192, 0, 2, (uint8_t)host}, port);
    }
}

struct address host_stranger(struct random_numbers *numbers)
{
    uint64_t drawn = random_next(numbers);
    uint16_t port = (uint16_t)(1024 + drawn % 60000);
    if (drawn >> 63 == 0)
        return address_from_ipv4((const uint8_t[4]){203, 0, 113, (uint8_t)(drawn >> 20)}, port);
    struct address address = {.port = port};
    memcpy(address.bytes, (const uint8_t[6]){0x20, 0x01, 0x0d, 0xb8, 2, (uint8_t)(drawn >> 20)}, 6);
    memcpy(address.bytes + 6, &drawn, sizeof drawn);
    return address;
}
