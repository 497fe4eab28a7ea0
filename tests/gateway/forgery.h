/* Somebody who sends from any address he likes and hears nothing of what is answered. */
#ifndef TESTS_GATEWAY_FORGERY_H
#define TESTS_GATEWAY_FORGERY_H

#include <string.h>

#include <usmp/handshake_messages.h>

#include "gateway/world.h"

/* The n-th address and port, all of them different hosts: 10.x.x.x. */
static inline struct address forged_address(uint32_t number)
{
    const uint8_t bytes[4] = {10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    return address_from_ipv4(bytes, 4000);
}

/* Each `key` is another public key. It is under way: world_settle delivers it. */
static inline void forge_hello(struct world *world, unsigned wire, const struct address *from, uint32_t key)
{
    struct usmp_hello hello = {.device_id = {6, 6, 6}};
    memcpy(hello.public_key, &key, sizeof key);
    hello.public_key[31] = 1;
    uint8_t frame[USMP_HELLO_COOKIE_FRAME];
    struct shard_path path = {.peer = *from, .local = world->gateway};
    world_carry(world, true, &path, frame, usmp_hello_write((uint8_t)wire, 0, &hello, frame));
}

static inline void forge_hello_ack(struct world *world, unsigned wire, const struct address *from)
{
    static const struct usmp_hello_ack wrong = {.hmac = {1}};
    uint8_t frame[USMP_HELLO_ACK_FRAME];
    struct shard_path path = {.peer = *from, .local = world->gateway};
    world_carry(world, true, &path, frame, usmp_hello_ack_write((uint8_t)wire, 0, &wrong, frame));
}

/* HELLOs from so many hosts, the first of which is the one with that number. No time passes. */
static inline void forge_hellos(struct world *world, unsigned wire, uint32_t first, uint32_t count)
{
    for (uint32_t number = first; number < first + count; number++) {
        struct address from = forged_address(number);
        forge_hello(world, wire, &from, number);
        world_settle(world);
    }
}

#endif
