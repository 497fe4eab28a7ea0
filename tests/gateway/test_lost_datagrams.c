/* One lost datagram strands no device, whichever it is: with strict devices of each era, some of which wait for ever for
 * what does not come (docs/protocol.md section 4 "Cookie", docs/security.md rules 10 and 11). */
#include "device/guest.h"
#include "gateway/expect.h"

#define PATIENCE 15u /* seconds, in which a device may have hung up and called again */
#define REGISTRY "devices:\n  '02:00:00:00:00:01': {psk: '" GUEST_PSK "'}\n"

/* Of all that go either way. */
struct loss {
    size_t which;
    size_t so_far;
};

static bool loses_one(void *context, const struct packet *packet)
{
    struct loss *loss = context;
    (void)packet;
    return loss->so_far++ == loss->which;
}

static void spend_budget(struct world *world)
{
    while (admission_take_challenges(world->admission, 1, 0, world->now.monotonic))
        continue;
}

/* True: so many datagrams did not leave, so there is no more to try. */
static bool connects_without(size_t which, const struct strict_era *era, const char *config, bool in_a_flood)
{
    static struct guest guest;
    struct loss loss = {.which = which};
    struct world *world = world_open(config, REGISTRY);
    world->link.loses = loses_one;
    world->link.context = &loss;
    if (in_a_flood)
        spend_budget(world);
    guest_arrive(&guest, world, era->name, &strict_port_esp_idf, STRICT_UDP, 1);
    for (unsigned tenth = 0; tenth < 10 * PATIENCE && !strict_application_is_connected(&guest.application); tenth++) {
        guests_run(&guest, 1, WORLD_SECOND / 10);
        if (in_a_flood)
            spend_budget(world);
    }
    if (!strict_application_is_connected(&guest.application))
        fail_msg("era %s without datagram %zu is stranded%s", era->name, which, in_a_flood ? " in a flood" : "");
    guest_leave(&guest);
    world_close(world);
    return loss.so_far <= which;
}

static void lose_each(const char *config, unsigned versions, bool in_a_flood)
{
    for (size_t index = 0; index < strict_era_count; index++) {
        const struct strict_era *era = &strict_eras[index];
        if (!era->has_udp || (versions & 1u << era->version) == 0)
            continue;
        size_t which = 0;
        while (!connects_without(which, era, config, in_a_flood))
            which++;
        assert_in_range(which, 8, 40); /* HELLO, CHALLENGE, HELLO_ACK, SESSION_OK, a UTACK for each */
    }
}

static void without_a_cookie(void **state)
{
    (void)state;
    lose_each(NULL, 1u << 1 | 1u << 2, false);
}

static void with_a_cookie_always(void **state)
{
    (void)state;
    lose_each("wire: {udp_cookie: always}\n", 1u << 2, false);
}

static void with_a_cookie_because_the_budget_is_spent(void **state)
{
    (void)state;
    lose_each(NULL, 1u << 2, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_cookie),
        cmocka_unit_test(with_a_cookie_always),
        cmocka_unit_test(with_a_cookie_because_the_budget_is_spent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
