/* How much an address hears that has proved nothing (docs/security.md rule 11). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"
#include "gateway/forgery.h"

#include "gateway/shard_internal.h"

#define HOSTS 4096u
#define ANSWER (USMP_CHALLENGE_FRAME + USMP_UTACK_PLAIN_SIZE)

/* What went where: the forged addresses by their number, and all of them together. */
struct account {
    struct {
        uint64_t said;
        uint64_t heard;
    } hosts[HOSTS], all;
    uint64_t challenges;
};

static bool note(void *context, const struct packet *packet)
{
    struct account *account = context;
    const uint8_t *ip = address_ipv4_bytes(&packet->path.peer);
    size_t host = ((size_t)ip[1] << 16 | (size_t)ip[2] << 8 | ip[3]) % HOSTS;
    if (packet->to_gateway) {
        account->hosts[host].said += packet->size;
        account->all.said += packet->size;
    } else {
        account->hosts[host].heard += packet->size;
        account->all.heard += packet->size;
        account->challenges += packet->size == USMP_CHALLENGE_FRAME ? 1 : 0;
    }
    return false;
}

static struct world *watched(struct account *account)
{
    struct world *world = world_open(NULL, DEVICES);
    *account = (struct account){0};
    world->link.loses = note;
    world->link.context = account;
    return world;
}

static void expect_each_within(const struct account *account, unsigned tenths)
{
    for (size_t host = 0; host < HOSTS; host++)
        assert_true(account->hosts[host].heard * 10 <= account->hosts[host].said * tenths);
}

static struct account account;

/* 4.7 times is the worst there is: one HELLO, its UTACK, three CHALLENGEs. */
static void one_hello_brings_three_challenges(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = watched(&account);
        forge_hellos(world, wire, 5, 1);
        assert_int_equal(account.hosts[5].heard, ANSWER);
        world_run(world, 30 * WORLD_SECOND);
        assert_int_equal(account.hosts[5].heard, ANSWER + 2 * USMP_CHALLENGE_FRAME);
        expect_each_within(&account, 47);
        world_close(world);
    }
}

/* Copies are answered as often as devices send any, and then no more. */
static void copies_bring_one_each_and_have_an_end(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = watched(&account);
        struct address from = forged_address(5);
        for (unsigned copy = 0; copy < 200; copy++) {
            forge_hello(world, wire, &from, 1);
            world_settle(world);
        }
        assert_int_equal(account.hosts[5].heard, (1 + UNPROVED_COPIES) * ANSWER);
        world_run(world, 30 * WORLD_SECOND);
        assert_int_equal(account.hosts[5].heard, (1 + UNPROVED_COPIES) * ANSWER + 2 * USMP_CHALLENGE_FRAME);
        world_close(world);
    }
}

/* A flood of wire 2 brings 200 CHALLENGEs a second in all; everything else is shorter than what brought it. */
static void a_flood_brings_no_more_than_the_budget(void **state)
{
    (void)state;
    struct world *world = watched(&account);
    for (uint32_t number = 0; number < 20000; number++) {
        struct address from = forged_address(number % HOSTS);
        forge_hello(world, 2, &from, number);
        world_run(world, 500);
    }
    world_run(world, 30 * WORLD_SECOND);
    assert_in_range(account.challenges, 10 * 200 / 2, 200 + 12 * 200);
    uint64_t others = account.all.heard - account.challenges * USMP_CHALLENGE_FRAME;
    assert_true(others * 10 <= account.all.said * 7);
    expect_each_within(&account, 47);
    world_close(world);
}

/* On wire 1 every HELLO is answered, or a flood would keep its devices out; but a flood spends the budget for repeats. */
static void a_flood_of_wire_1_brings_1_7_times(void **state)
{
    (void)state;
    struct world *world = watched(&account);
    for (uint32_t number = 0; number < 8000; number++) {
        struct address from = forged_address(number % HOSTS);
        forge_hello(world, 1, &from, number);
        world_run(world, 500);
    }
    assert_int_equal(world->shard->pending.unproved.count, 8000);
    assert_int_equal(account.challenges, 8000);
    assert_true(account.all.heard * 10 <= account.all.said * 17);
    /* When it is over the budget is there again, for those whose repeats are still to come, and no more than that. */
    world_run(world, 30 * WORLD_SECOND);
    assert_in_range(account.challenges, 8000, 8000 + 200);
    expect_each_within(&account, 47);
    world_close(world);
}

/* Its repeats are due after 500 and 1000 ms. */
static void wire_1_gets_one_challenge_from_an_empty_budget(void **state)
{
    (void)state;
    struct world *world = watched(&account);
    for (unsigned time = 0; time <= 1000; time++) {
        while (admission_take_challenges(world->admission, 1, 0, world->now.monotonic))
            continue;
        if (time == 0)
            forge_hellos(world, 1, 5, 1);
        world_run(world, 1000);
    }
    world_run(world, 30 * WORLD_SECOND);
    assert_int_equal(account.hosts[5].heard, ANSWER);
    world_close(world);
}

/* Whoever restarts all the time at one address and port has few handshakes there, and hears of few repeats. */
static void many_keys_of_one_address_and_port_bring_1_7_times(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = watched(&account);
        struct address from = forged_address(5);
        for (uint32_t key = 0; key < 600; key++) {
            forge_hello(world, wire, &from, key);
            world_run(world, 1000);
        }
        world_run(world, 30 * WORLD_SECOND);
        expect_each_within(&account, 17);
        world_close(world);
    }
}

/* What is no HELLO is not answered at all, unless it is right. */
static void nothing_else_is_answered(void **state)
{
    (void)state;
    struct world *world = watched(&account);
    struct address from = forged_address(5);
    forge_hello(world, 2, &from, 1);
    world_run(world, 30 * WORLD_SECOND);
    uint64_t heard = account.all.heard;
    for (unsigned wire = 1; wire <= 2; wire++) {
        forge_hello_ack(world, wire, &from);
        world_settle(world);
    }
    assert_int_equal(account.all.heard, heard);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hello_brings_three_challenges),
        cmocka_unit_test(copies_bring_one_each_and_have_an_end),
        cmocka_unit_test(a_flood_brings_no_more_than_the_budget),
        cmocka_unit_test(a_flood_of_wire_1_brings_1_7_times),
        cmocka_unit_test(wire_1_gets_one_challenge_from_an_empty_budget),
        cmocka_unit_test(many_keys_of_one_address_and_port_bring_1_7_times),
        cmocka_unit_test(nothing_else_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
