/* One greedy device and fifty modest ones at a queue that blocks (docs/security.md rule 22). */
#include "delivery/hub_fixture.h"

#include <string.h>

#include "delivery/fair_share.h"

#define QUEUE 262144u
#define GREEDY 0xee
#define MODEST 50u

static struct hub_fixture fixture;
static struct client client;
static const char payload[1000];

static void widen(struct hub_fixture *prepared)
{
    for (size_t i = 0; i < FIXTURE_BACKENDS; i++)
        prepared->items[i].queue = QUEUE;
}

static void drop(struct hub_fixture *prepared)
{
    widen(prepared);
    prepared->items[0].when_full = CONFIG_WHEN_FULL_DROP_OLDEST;
}

static void begin(size_t backends, void (*prepare)(struct hub_fixture *fixture))
{
    fixture_open(&fixture, backends, prepare);
    for (uint8_t device = 1; device <= MODEST; device++)
        assert_true(worker_connected(&fixture, device, 1));
    assert_true(worker_connected(&fixture, GREEDY, 1));
}

static int teardown(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static bool is_denied(uint8_t device)
{
    const uint8_t id[6] = {0xde, 0xad, 0xbe, 0xef, 0x00, device};
    return seam_denied_contains(&fixture.denied.lists[0], id);
}

static bool push_greedy(void)
{
    return worker_message(&fixture, GREEDY, 1, payload, sizeof payload);
}

static uint64_t queued(void)
{
    return hub_backend_counters(fixture.hub, 0)->queue_bytes;
}

/* A backend that reads a little in each round: the greedy device sends all it can, the modest ones a little each. */
static void modest_devices_lose_no_time(void **state)
{
    (void)state;
    begin(1, widen);
    client_connect(&fixture, &client, 0);
    unsigned refused = 0;
    unsigned accepted = 0;
    for (unsigned round = 0; round < 100; round++) {
        for (uint8_t device = 1; device <= MODEST; device++) {
            if (round % 2 == device % 2 && !worker_message(&fixture, device, 1, "modest", 6))
                fail_msg("round %u: device %u has to wait", round, device);
        }
        for (unsigned i = 0; i < 100 && push_greedy(); i++)
            accepted++;
        refused += is_denied(GREEDY);
        (void)client_read(&client, 20000);
        client.start = client.end;
        fixture_turn(&fixture);
    }
    /* The greedy one filled what the others left, and was denied more all the time. */
    assert_true(refused > 90);
    assert_true(accepted > 300);
    client_close(&client);
}

/* The same, if nobody is denied credit: what they would lose. */
static void without_the_rule_they_would(void **state)
{
    (void)state;
    begin(1, widen);
    while (push_greedy()) {
    }
    assert_true(is_denied(GREEDY));
    assert_in_range(queued(), QUEUE / 2 - 60 * SEAM_EVENT_OVERHEAD, QUEUE / 2 + 2 * seam_event_cost(sizeof payload));
    fixture.denied = (struct seam_denied){.lists = {{.count = 0}}}; /* a shard that does not care */
    unsigned more = 0;
    while (push_greedy()) {
        fixture.denied = (struct seam_denied){.lists = {{.count = 0}}};
        more++;
    }
    assert_true(more > 50);
    assert_false(worker_message(&fixture, 1, 1, payload, sizeof payload));
}

static void it_goes_on_when_it_holds_less(void **state)
{
    (void)state;
    begin(1, widen);
    while (push_greedy()) {
    }
    assert_true(is_denied(GREEDY));
    client_connect(&fixture, &client, 0);
    while (is_denied(GREEDY)) {
        assert_true(client_read(&client, 8192) > 0);
        client.start = client.end;
        fixture_turn(&fixture);
    }
    assert_true(push_greedy());
    client_close(&client);
}

static void what_it_left_behind_counts_on(void **state)
{
    (void)state;
    begin(1, widen);
    while (push_greedy()) {
    }
    assert_int_equal(fixture_logged(&fixture, "device holds more than its share"), 1);
    worker_disconnected(&fixture, GREEDY, 1, SEAM_BYE);
    assert_true(is_denied(GREEDY));
    assert_true(worker_connected(&fixture, GREEDY, 2));
    assert_true(is_denied(GREEDY));
    assert_false(push_greedy());
    assert_true(worker_message(&fixture, 1, 1, payload, sizeof payload));
}

/* The second backend has the devices 00 to 0f and reads, the first does not. */
static void each_backend_counts_for_itself(void **state)
{
    (void)state;
    begin(2, widen);
    client_connect(&fixture, &client, 1);
    unsigned count = 0;
    while (worker_message(&fixture, 1, 1, payload, sizeof payload)) {
        (void)client_read(&client, FIXTURE_CLIENT_BUFFER);
        client.start = client.end;
        count++;
    }
    assert_true(count > 50);
    assert_true(is_denied(1));
    assert_int_equal(fixture.denied.lists[1].count, 0);
    assert_true(worker_message(&fixture, 2, 1, payload, sizeof payload));
    client_close(&client);
}

static void where_the_oldest_go_nobody_is_denied_credit(void **state)
{
    (void)state;
    begin(1, drop);
    for (unsigned i = 0; i < 2000; i++)
        assert_true(push_greedy());
    assert_int_equal(fixture.denied.lists[0].count, 0);
    assert_true(hub_backend_counters(fixture.hub, 0)->lost > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(modest_devices_lose_no_time, teardown),
        cmocka_unit_test_teardown(without_the_rule_they_would, teardown),
        cmocka_unit_test_teardown(it_goes_on_when_it_holds_less, teardown),
        cmocka_unit_test_teardown(what_it_left_behind_counts_on, teardown),
        cmocka_unit_test_teardown(each_backend_counts_for_itself, teardown),
        cmocka_unit_test_teardown(where_the_oldest_go_nobody_is_denied_credit, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
