/* Whole conversations over a bad link, one for each seed: datagrams are lost, doubled and overtake each other, blocks
 * run out, messages are refused and deferred, the device pings, changes its keys and its port, breaks off and comes
 * back. Whatever happens:
 *
 * - what an end was told has arrived has arrived once, in the order in which it was sent; a message of the gateway's
 *   that was out when REKEY came may arrive once more (docs/protocol.md section 4),
 * - what an end was not told about arrives once at most,
 * - every message arrives unchanged, and no session breaks the protocol.
 *
 * A seed that fails prints its trace. One alone: test_simulation_seeds SEED WIRE udp|tcp.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "simulation/world.h"

#define SEEDS 1000
#define SEEDS_TCP 200
#define MESSAGES 24      /* each way */
#define STEPS_MAX 200000 /* of one conversation */
#define TIME_MAX (900 * WORLD_SECONDS)
#define SEND_DEADLINE (15 * WORLD_SECONDS) /* then a message is given up */
#define LAST_WORDS (30 * WORLD_SECONDS)

enum fate {
    FATE_WAITING,
    FATE_OUT,
    FATE_ARRIVED, /* says the sender's session */
    FATE_UNKNOWN, /* given up, or the session ended */
};

struct message {
    size_t size;
    uint8_t bytes[USMP_MESSAGE_MAX];
    enum fate fate;
    unsigned rekeys; /* that came while it was out: it may arrive once more for each */
    unsigned taken;  /* how often, by the other end */
};

struct direction {
    struct message messages[MESSAGES];
    size_t next;          /* not sent yet */
    uint64_t send_at;     /* not before */
    uint64_t give_up_at;  /* of the one that is out */
    size_t taken_highest; /* index + 1 of what has been taken and will be told to have arrived */
};

struct conversation {
    uint64_t seed;
    struct simulation_random random; /* its own: what the application does must not depend on the link */
    struct world world;
    struct direction up;
    struct direction down;
    unsigned refusal; /* thousandths */
    unsigned deferral;
    uint64_t connect_at;
    uint64_t mischief_at; /* ping, REKEY, another port, breaking off */
    const char *broken;   /* the rule, NULL when none is */
};

static struct conversation conversation;

static void demand(struct conversation *c, bool kept, const char *rule)
{
    if (!kept && c->broken == NULL)
        c->broken = rule;
}

static void fill(struct simulation_random *random, struct direction *direction, char name)
{
    *direction = (struct direction){0};
    for (size_t index = 0; index < MESSAGES; index++) {
        struct message *message = &direction->messages[index];
        bool is_long = simulation_random_chance(random, 300);
        message->size = (size_t)simulation_random_between(random, 8, is_long ? USMP_MESSAGE_MAX : 200);
        char label[9];
        snprintf(label, sizeof label, "%c%06u ", name, (unsigned)index);
        memcpy(message->bytes, label, 8);
        for (size_t place = 8; place < message->size; place++)
            message->bytes[place] = (uint8_t)simulation_random_between(random, 'a', 'z');
    }
}

static struct message *out(struct direction *direction)
{
    if (direction->next == 0 || direction->messages[direction->next - 1].fate != FATE_OUT)
        return NULL;
    return &direction->messages[direction->next - 1];
}

static void finish(struct direction *direction, enum fate fate)
{
    if (out(direction) != NULL)
        out(direction)->fate = fate;
}

static void take(struct conversation *c, struct direction *direction, const uint8_t *bytes, size_t size)
{
    char label[8] = "";
    if (size >= sizeof label)
        memcpy(label, bytes + 1, sizeof label - 2);
    size_t index = strtoul(label, NULL, 10);
    bool is_known = size >= sizeof label && index < MESSAGES && direction->messages[index].size == size &&
                    memcmp(direction->messages[index].bytes, bytes, size) == 0;
    demand(c, is_known, "a message arrives unchanged");
    if (!is_known)
        return;
    struct message *message = &direction->messages[index];
    message->taken++;
    demand(c, message->taken <= 1 + message->rekeys, "a message is taken once");
    /* Over TCP it is the socket that has it. */
    demand(c, message->fate != FATE_ARRIVED || message->rekeys > 0 || c->world.link.transport == USMP_TCP,
           "nothing is taken after it has arrived");
    /* What is out now is the newest: taking it and then an older one that is told to have arrived cannot be. */
    if (message->fate == FATE_OUT)
        direction->taken_highest = index + 1;
}

/* Applications. */

static enum application_answer answer_gateway(void *context, uint64_t now, uint64_t *settle_at)
{
    struct conversation *c = context;
    if (simulation_random_chance(&c->random, c->refusal))
        return APPLICATION_REFUSES;
    if (!simulation_random_chance(&c->random, c->deferral))
        return APPLICATION_TAKES;
    *settle_at = now + simulation_random_between(&c->random, 1, 3 * WORLD_SECONDS);
    return APPLICATION_DEFERS;
}

static enum application_answer answer_device(void *context, uint64_t now, uint64_t *settle_at)
{
    struct conversation *c = context;
    (void)now;
    (void)settle_at;
    return simulation_random_chance(&c->random, c->refusal) ? APPLICATION_REFUSES : APPLICATION_TAKES;
}

static void gateway_takes(void *context, const uint8_t *bytes, size_t size)
{
    struct conversation *c = context;
    take(c, &c->up, bytes, size);
}

static void device_takes(void *context, const uint8_t *bytes, size_t size)
{
    struct conversation *c = context;
    take(c, &c->down, bytes, size);
}

static void check_arrived(struct conversation *c, struct direction *direction)
{
    const struct message *message = out(direction);
    demand(c, message != NULL, "only what is out arrives");
    if (message == NULL || c->world.link.transport == USMP_TCP)
        return;
    demand(c, message->taken > 0, "what has arrived has been taken");
    demand(c, direction->taken_highest == direction->next, "messages arrive in order");
}

static void gateway_arrived(void *context)
{
    struct conversation *c = context;
    check_arrived(c, &c->down);
    finish(&c->down, FATE_ARRIVED);
}

static void device_arrived(void *context)
{
    struct conversation *c = context;
    check_arrived(c, &c->up);
    finish(&c->up, FATE_ARRIVED);
}

static void gateway_rekeyed(void *context)
{
    struct conversation *c = context;
    if (out(&c->down) != NULL)
        out(&c->down)->rekeys++;
}

static void gateway_ended(void *context)
{
    struct conversation *c = context;
    demand(c, c->world.gateway.session.end != USMP_END_PROTOCOL, "nobody breaks the protocol");
    finish(&c->down, FATE_UNKNOWN);
}

static void device_ended(void *context)
{
    struct conversation *c = context;
    demand(c, c->world.device.device.session.end != USMP_END_PROTOCOL, "nobody breaks the protocol");
    finish(&c->up, FATE_UNKNOWN);
    c->connect_at = c->world.now + simulation_random_between(&c->random, 1, 4 * WORLD_SECONDS);
}

/* What the two applications do by themselves. */

static void send_down(struct conversation *c)
{
    struct world *world = &c->world;
    struct direction *down = &c->down;
    if (out(down) != NULL && world->now >= down->give_up_at) {
        finish(down, FATE_UNKNOWN);
        gateway_end_cancel(&world->gateway, world->now);
    }
    if (out(down) != NULL || down->next == MESSAGES || world->now < down->send_at ||
        !gateway_end_can_send(&world->gateway))
        return;
    struct message *message = &down->messages[down->next++];
    message->fate = FATE_OUT;
    down->give_up_at = world->now + SEND_DEADLINE;
    down->send_at = world->now + simulation_random_between(&c->random, 0, 2 * WORLD_SECONDS);
    gateway_end_send(&world->gateway, message->bytes, message->size, world->now);
}

static void send_up(struct conversation *c)
{
    struct world *world = &c->world;
    struct direction *up = &c->up;
    if (out(up) != NULL && world->now >= up->give_up_at) {
        finish(up, FATE_UNKNOWN);
        device_end_cancel(&world->device, world->now);
    }
    if (out(up) != NULL || up->next == MESSAGES || world->now < up->send_at || !device_end_can_send(&world->device))
        return;
    struct message *message = &up->messages[up->next++];
    message->fate = FATE_OUT;
    /* Sometimes before it has been repeated often enough, as devices do. */
    up->give_up_at = world->now + (simulation_random_chance(&c->random, 200) ? SEND_DEADLINE / 10 : SEND_DEADLINE);
    up->send_at = world->now + simulation_random_between(&c->random, 0, 2 * WORLD_SECONDS);
    device_end_send(&world->device, message->bytes, message->size, world->now);
}

/* Over TCP a frame under the old keys that crosses REKEY ends the device's session, and nothing can help; so there
 * must be none. */
static void rekey(struct conversation *c)
{
    struct world *world = &c->world;
    if (world->link.transport == USMP_TCP) {
        if (world->link.count > 0 || world->gateway.stream.size > 0 || world->gateway.has_deferred ||
            world->device.stream.size > 0)
            return;
        c->down.send_at = world->now + world->link.conditions.delay_most + 1;
    }
    device_end_rekey(&world->device, world->now);
}

static void do_mischief(struct conversation *c)
{
    struct world *world = &c->world;
    if (world->now < c->mischief_at)
        return;
    c->mischief_at = world->now + simulation_random_between(&c->random, 1, 3 * WORLD_SECONDS);
    if (!device_end_is_connected(&world->device))
        return;
    bool is_udp = world->link.transport == USMP_UDP;
    uint64_t choice = simulation_random_between(&c->random, 0, 99);
    if (choice < 40)
        device_end_ping(&world->device, world->now);
    else if (choice < 70)
        rekey(c);
    else if (choice < 80 && is_udp)
        device_end_change_port(&world->device, world->now);
    else if (choice < 83 && is_udp) {
        finish(&c->up, FATE_UNKNOWN);
        device_end_connect(&world->device, world->now);
    } else if (choice < 85 && is_udp)
        device_end_close(&world->device, world->now);
}

static bool is_done(const struct direction *direction)
{
    return direction->next == MESSAGES && direction->messages[MESSAGES - 1].fate != FATE_OUT;
}

static void act(struct conversation *c)
{
    if (c->world.now >= c->connect_at) {
        c->connect_at = UINT64_MAX;
        device_end_connect(&c->world.device, c->world.now);
    }
    send_up(c);
    send_down(c);
    do_mischief(c);
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* The applications are asked after every event, and when their own time has come. */
static uint64_t next_act(const struct conversation *c)
{
    uint64_t next = earlier(c->connect_at, c->mischief_at);
    next = earlier(next, c->up.send_at > c->world.now ? c->up.send_at : UINT64_MAX);
    next = earlier(next, c->down.send_at > c->world.now ? c->down.send_at : UINT64_MAX);
    next = earlier(next, c->up.give_up_at > c->world.now ? c->up.give_up_at : UINT64_MAX);
    return earlier(next, c->down.give_up_at > c->world.now ? c->down.give_up_at : UINT64_MAX);
}

static void check_at_the_end(struct conversation *c, const struct direction *direction)
{
    demand(c, is_done(direction), "a conversation comes to its end");
    for (size_t index = 0; index < MESSAGES; index++) {
        const struct message *message = &direction->messages[index];
        demand(c, message->fate != FATE_ARRIVED || message->taken > 0, "what has arrived has been taken");
        demand(c, message->fate != FATE_ARRIVED || message->rekeys > 0 || message->taken == 1,
               "what has arrived has been taken once");
    }
}

static void converse(struct conversation *c)
{
    struct world *world = &c->world;
    unsigned steps = 0;
    uint64_t end = TIME_MAX;
    while (c->broken == NULL && world->now < end) {
        act(c);
        uint64_t next = world_next(world);
        uint64_t own = next_act(c);
        demand(c, steps++ < STEPS_MAX, "time goes on");
        if (next <= own)
            world_step(world);
        else
            world->now = own;
        /* Whatever is still under way must not arrive wrongly either. */
        if (end == TIME_MAX && is_done(&c->up) && is_done(&c->down))
            end = world->now + LAST_WORDS;
    }
    check_at_the_end(c, &c->up);
    check_at_the_end(c, &c->down);
}

static void begin(struct conversation *c, uint64_t seed, uint8_t version, enum usmp_transport transport)
{
    struct simulation_random *random = &c->random;
    c->seed = seed;
    c->random = (struct simulation_random){seed * 2 + 1};
    c->broken = NULL;
    c->refusal = simulation_random_chance(random, 300) ? 200 : 0;
    c->deferral = simulation_random_chance(random, 300) ? 300 : 0;
    c->connect_at = 0;
    c->mischief_at = 5 * WORLD_SECONDS;
    uint64_t delay = simulation_random_between(random, 1, 200) * WORLD_MILLISECONDS;
    struct world_settings settings = {
        .seed = seed,
        .version = version,
        .transport = transport,
        .conditions = {.delay_least = delay,
                       .delay_most = delay * simulation_random_between(random, 1, 10),
                       .loss = (unsigned)simulation_random_between(random, 0, 300),
                       .duplication = (unsigned)simulation_random_between(random, 0, 300)},
        .ask_cookie = simulation_random_chance(random, 300),
        .device_cipher = version == USMP_WIRE_2 && simulation_random_chance(random, 300) ? USMP_CIPHER_CHACHA20_POLY1305
                                                                                         : USMP_CIPHER_AUTO,
    };
    world_begin(&c->world, &settings);
    /* Over TCP a gateway that speaks first has to be told the suite; over UDP its repeats are in the right one. */
    if (transport == USMP_TCP)
        c->world.gateway.settings.cipher = settings.device_cipher;
    c->world.blocks.shortage = simulation_random_chance(random, 300) ? 200 : 0;
    fill(random, &c->up, 'u');
    fill(random, &c->down, 'd');
    c->world.gateway.application = (struct application){.context = c,
                                                        .offered = answer_gateway,
                                                        .taken = gateway_takes,
                                                        .acknowledged = gateway_arrived,
                                                        .rekeyed = gateway_rekeyed,
                                                        .ended = gateway_ended};
    c->world.device.application = (struct application){.context = c,
                                                       .offered = answer_device,
                                                       .taken = device_takes,
                                                       .acknowledged = device_arrived,
                                                       .ended = device_ended};
}

static size_t arrived(const struct direction *direction)
{
    size_t count = 0;
    for (size_t index = 0; index < MESSAGES; index++)
        count += direction->messages[index].fate == FATE_ARRIVED;
    return count;
}

/* Returns how many messages have arrived, both ways. */
static size_t play(uint64_t seed, uint8_t version, enum usmp_transport transport, bool print)
{
    struct conversation *c = &conversation;
    begin(c, seed, version, transport);
    converse(c);
    size_t count = arrived(&c->up) + arrived(&c->down);
    if (c->broken != NULL || print)
        fputs(c->world.trace.text, stdout);
    if (c->broken != NULL)
        fail_msg("seed %llu, wire %u, %s: not true that %s", (unsigned long long)seed, version,
                 transport == USMP_TCP ? "TCP" : "UDP", c->broken);
    world_end(&c->world);
    return count;
}

static void play_all(uint8_t version, enum usmp_transport transport, uint64_t seeds)
{
    size_t count = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++)
        count += play(seed, version, transport, false);
    /* They would all keep their promises if they said nothing. */
    assert_true(count > seeds * MESSAGES);
}

static void wire_1_over_udp(void **state)
{
    (void)state;
    play_all(USMP_WIRE_1, USMP_UDP, SEEDS);
}

static void wire_2_over_udp(void **state)
{
    (void)state;
    play_all(USMP_WIRE_2, USMP_UDP, SEEDS);
}

static void both_wires_over_tcp(void **state)
{
    (void)state;
    play_all(USMP_WIRE_1, USMP_TCP, SEEDS_TCP);
    play_all(USMP_WIRE_2, USMP_TCP, SEEDS_TCP);
}

int main(int argument_count, char **arguments)
{
    if (argument_count == 4) {
        uint64_t seed = strtoull(arguments[1], NULL, 10);
        uint8_t version = arguments[2][0] == '1' ? USMP_WIRE_1 : USMP_WIRE_2;
        play(seed, version, strcmp(arguments[3], "tcp") == 0 ? USMP_TCP : USMP_UDP, true);
        return EXIT_SUCCESS;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_1_over_udp),
        cmocka_unit_test(wire_2_over_udp),
        cmocka_unit_test(both_wires_over_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
