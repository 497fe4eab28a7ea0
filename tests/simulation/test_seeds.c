/* Whole conversations over a bad link, one for each seed: datagrams are lost, doubled and overtake each other, blocks
 * run out, messages are refused and deferred, the device pings, changes its keys and its port, breaks off and comes
 * back. Whatever happens, both ledgers are right and no session breaks the protocol.
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

#include "simulation/ledger.h"
#include "simulation/world.h"

#define SEEDS 1000
#define SEEDS_TCP 200
#define STEPS_MAX 200000 /* of one conversation */
#define TIME_MAX (900 * WORLD_SECONDS)
#define SEND_DEADLINE (15 * WORLD_SECONDS) /* then a message is given up */
#define LAST_WORDS (30 * WORLD_SECONDS)

/* What an application does in one direction. */
struct direction {
    struct ledger ledger;
    uint64_t send_at;    /* not before */
    uint64_t give_up_at; /* of the message that is out */
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
    const char *broken;   /* a rule that no ledger has, NULL when none is */
};

static struct conversation conversation;

static void demand(struct conversation *c, bool kept, const char *rule)
{
    if (!kept && c->broken == NULL)
        c->broken = rule;
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
    ledger_take(&c->up.ledger, bytes, size);
}

static void device_takes(void *context, const uint8_t *bytes, size_t size)
{
    struct conversation *c = context;
    ledger_take(&c->down.ledger, bytes, size);
}

static void gateway_arrived(void *context)
{
    struct conversation *c = context;
    ledger_arrive(&c->down.ledger);
}

static void device_arrived(void *context)
{
    struct conversation *c = context;
    ledger_arrive(&c->up.ledger);
}

static void gateway_rekeyed(void *context)
{
    struct conversation *c = context;
    struct ledger_message *out = ledger_out(&c->down.ledger);
    if (out != NULL)
        out->rekeys++;
}

static void gateway_ended(void *context)
{
    struct conversation *c = context;
    demand(c, c->world.gateway.session.end != USMP_END_PROTOCOL, "nobody breaks the protocol");
    ledger_give_up(&c->down.ledger);
}

static void device_ended(void *context)
{
    struct conversation *c = context;
    demand(c, c->world.device.device.session.end != USMP_END_PROTOCOL, "nobody breaks the protocol");
    ledger_give_up(&c->up.ledger);
    c->connect_at = c->world.now + simulation_random_between(&c->random, 1, 4 * WORLD_SECONDS);
}

/* What the two applications do by themselves. */

/* The next message, if it is time for one. */
static struct ledger_message *take_turn(struct conversation *c, struct direction *direction, uint64_t patience)
{
    uint64_t now = c->world.now;
    if (ledger_out(&direction->ledger) != NULL || now < direction->send_at)
        return NULL;
    direction->give_up_at = now + patience;
    direction->send_at = now + simulation_random_between(&c->random, 0, 2 * WORLD_SECONDS);
    return ledger_send(&direction->ledger);
}

static bool is_out_too_long(struct conversation *c, struct direction *direction)
{
    return ledger_out(&direction->ledger) != NULL && c->world.now >= direction->give_up_at;
}

static void send_down(struct conversation *c)
{
    struct world *world = &c->world;
    if (is_out_too_long(c, &c->down)) {
        ledger_give_up(&c->down.ledger);
        gateway_end_cancel(&world->gateway, world->now);
    }
    if (!gateway_end_can_send(&world->gateway))
        return;
    const struct ledger_message *message = take_turn(c, &c->down, SEND_DEADLINE);
    if (message != NULL)
        gateway_end_send(&world->gateway, message->bytes, message->size, world->now);
}

static void send_up(struct conversation *c)
{
    struct world *world = &c->world;
    if (is_out_too_long(c, &c->up)) {
        ledger_give_up(&c->up.ledger);
        device_end_cancel(&world->device, world->now);
    }
    if (!device_end_can_send(&world->device))
        return;
    /* Sometimes before it has been repeated often enough, as devices do. */
    bool is_impatient = simulation_random_chance(&c->random, 200);
    const struct ledger_message *message = take_turn(c, &c->up, is_impatient ? SEND_DEADLINE / 10 : SEND_DEADLINE);
    if (message != NULL)
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
        ledger_give_up(&c->up.ledger);
        device_end_connect(&world->device, world->now);
    } else if (choice < 85 && is_udp)
        device_end_close(&world->device, world->now);
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

static bool is_broken(const struct conversation *c)
{
    return c->broken != NULL || c->up.ledger.broken != NULL || c->down.ledger.broken != NULL;
}

static void converse(struct conversation *c)
{
    struct world *world = &c->world;
    unsigned steps = 0;
    uint64_t end = TIME_MAX;
    while (!is_broken(c) && world->now < end) {
        act(c);
        uint64_t next = world_next(world);
        uint64_t own = next_act(c);
        demand(c, steps++ < STEPS_MAX, "time goes on");
        if (next <= own)
            world_step(world);
        else
            world->now = own;
        /* Whatever is still under way must not arrive wrongly either. */
        if (end == TIME_MAX && ledger_is_done(&c->up.ledger) && ledger_is_done(&c->down.ledger))
            end = world->now + LAST_WORDS;
    }
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
    c->up = (struct direction){0};
    c->down = (struct direction){0};
    ledger_begin(&c->up.ledger, transport, 'u', random);
    ledger_begin(&c->down.ledger, transport, 'd', random);
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

static const char *broken_rule(const struct conversation *c)
{
    if (c->broken != NULL)
        return c->broken;
    return c->up.ledger.broken != NULL ? c->up.ledger.broken : c->down.ledger.broken;
}

/* Returns how many messages have arrived, both ways. */
static size_t play(uint64_t seed, uint8_t version, enum usmp_transport transport, bool print)
{
    struct conversation *c = &conversation;
    begin(c, seed, version, transport);
    converse(c);
    size_t count = ledger_close(&c->up.ledger) + ledger_close(&c->down.ledger);
    if (is_broken(c) || print)
        fputs(c->world.trace.text, stdout);
    if (is_broken(c))
        fail_msg("seed %llu, wire %u, %s: not true that %s", (unsigned long long)seed, version,
                 transport == USMP_TCP ? "TCP" : "UDP", broken_rule(c));
    world_end(&c->world);
    return count;
}

static void play_all(uint8_t version, enum usmp_transport transport, uint64_t seeds)
{
    size_t count = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++)
        count += play(seed, version, transport, false);
    /* They would all keep their promises if they said nothing. */
    assert_true(count > seeds * LEDGER_MESSAGES);
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
