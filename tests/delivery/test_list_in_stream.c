#include "delivery/hub_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SESSION_1 "01000000000000000000000000000000"
#define SESSION_2 "02000000000000000000000000000000"

static bool memory_is_short;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

static struct hub_fixture fixture;
static struct client client;

static int open_with(void (*prepare)(struct hub_fixture *fixture))
{
    fixture_open(&fixture, 2, prepare);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return open_with(NULL);
}

static void large_queue(struct hub_fixture *prepared)
{
    prepared->items[0].queue = 1u << 20;
}

static int setup_large(void **state)
{
    (void)state;
    return open_with(large_queue);
}

static int teardown(void **state)
{
    (void)state;
    client_close(&client);
    fixture_close(&fixture);
    return 0;
}

static void ask(const char *lines)
{
    client_write(&fixture, &client, lines);
}

static void a_list_stands_at_its_place_among_the_events(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 2, 2));
    ask("{\"op\":\"list\",\"ref\":\"r5\"}\n");
    client_expect_event(&fixture, &client, "connected", 2, 2, NULL);
    client_expect(&fixture, &client,
                  "{\"type\":\"session\",\"ref\":\"r5\",\"device\":\"de:ad:be:ef:00:01\",\"session\":\"" SESSION_1
                  "\",\"time\":\"2026-11-21T09:00:00.000000Z\",\"transport\":\"udp\",\"wire\":2,"
                  "\"peer\":\"192.0.2.7:50123\"}");
    client_expect(&fixture, &client,
                  "{\"type\":\"session\",\"ref\":\"r5\",\"device\":\"de:ad:be:ef:00:02\",\"session\":\"" SESSION_2
                  "\",\"time\":\"2026-11-21T09:00:00.000000Z\",\"transport\":\"udp\",\"wire\":2,"
                  "\"peer\":\"192.0.2.7:50123\"}");
    client_expect(&fixture, &client, "{\"type\":\"listed\",\"ref\":\"r5\",\"count\":2}");
    worker_disconnected(&fixture, 1, 1, SEAM_BYE);
    client_expect_event(&fixture, &client, "disconnected", 3, 1, NULL);
}

struct follower {
    bool known[256]; /* devices with a session, as far as list and events say */
    bool shown[256]; /* by the list that is under way */
    unsigned lists;
};

static void follow(struct follower *follower, const char *line)
{
    json_t *object = json_loads(line, 0, NULL);
    const char *type = json_string_value(json_object_get(object, "type"));
    const char *device = json_string_value(json_object_get(object, "device"));
    unsigned long number = device != NULL ? strtoul(device + 15, NULL, 16) : 0;
    if (strcmp(type, "session") == 0) {
        follower->shown[number] = true;
    } else if (strcmp(type, "connected") == 0) {
        assert_false(follower->known[number]);
        follower->known[number] = true;
    } else if (strcmp(type, "disconnected") == 0) {
        assert_true(follower->known[number]);
        follower->known[number] = false;
    } else if (strcmp(type, "listed") == 0) {
        assert_memory_equal(follower->shown, follower->known, sizeof follower->known);
        memset(follower->shown, 0, sizeof follower->shown);
        follower->lists++;
    }
    json_decref(object);
}

/* Wherever a list comes, it shows what the events before it say, and those after it go on from there: while sessions
 * come and go, and the reader is slow. */
static void a_list_agrees_with_the_events_before_and_after_it(void **state)
{
    (void)state;
    bool live[256] = {[1] = true};
    struct follower follower = {.known = {[1] = true}};
    uint64_t random = 99;
    for (int step = 0; step < 5000; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint8_t device = (uint8_t)(random >> 40);
        unsigned choice = (unsigned)(random >> 60);
        if (choice < 7) {
            if (!live[device])
                live[device] = worker_connected(&fixture, device, device);
        } else if (choice < 14) {
            if (live[device])
                worker_disconnected(&fixture, device, device, SEAM_BYE);
            live[device] = false;
        } else if (choice == 14) {
            ask("{\"op\":\"list\",\"ref\":\"a\"}\n");
        } else {
            (void)client_read(&client, (size_t)(random >> 20) % 3000);
            char *begin = client.buffer + client.start;
            for (char *end = NULL; (end = memchr(begin, '\n', client.end - client.start)) != NULL; begin = end + 1) {
                *end = '\0';
                client.start = (size_t)(end - client.buffer) + 1;
                follow(&follower, begin);
            }
        }
    }
    assert_true(follower.lists > 20);
}

static void too_many_lists_are_busy(void **state)
{
    (void)state;
    char lines[1000] = "";
    for (int i = 0; i < 17; i++)
        strcat(lines, "{\"op\":\"list\",\"ref\":\"a\"}\n");
    ask(lines);
    client_expect_error(&fixture, &client, "a", "busy");
    for (int i = 0; i < 16; i++) {
        json_decref(client_object(&fixture, &client, "session"));
        json_decref(client_object(&fixture, &client, "listed"));
    }
    client_expect_nothing(&fixture, &client);
}

/* Sessions of devices that only the first backend gets. */
static void connect_others(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct seam_event event = {
            .kind = SEAM_CONNECTED, .backends = 1, .device = {0xaa, (uint8_t)(i >> 8), (uint8_t)i}};
        while (!worker_append(&fixture, &event, NULL)) {
            worker_turn(&fixture);
            while (client_line(&fixture, &client) != NULL) {
            }
        }
    }
    worker_turn(&fixture);
    while (client_line(&fixture, &client) != NULL) {
    }
}

static void sessions_of_other_backends_are_passed_over(void **state)
{
    (void)state;
    struct client pumps;
    client_connect(&fixture, &pumps, 1);
    client_skip_hello(&fixture, &pumps);
    client_expect_event(&fixture, &pumps, "connected", 1, 1, NULL);
    /* More than are looked at in one go, and behind them one that counts. */
    connect_others(600);
    assert_true(worker_connected(&fixture, 2, 2));
    client_expect_event(&fixture, &pumps, "connected", 2, 2, NULL);
    client_write(&fixture, &pumps, "{\"op\":\"list\",\"ref\":\"a\"}\n");
    json_decref(client_object(&fixture, &pumps, "session"));
    json_decref(client_object(&fixture, &pumps, "session"));
    client_expect(&fixture, &pumps, "{\"type\":\"listed\",\"ref\":\"a\",\"count\":2}");
    client_close(&pumps);
}

static void without_memory_for_a_list_the_connection_ends(void **state)
{
    (void)state;
    connect_others(100);
    const char *line = "{\"op\":\"list\",\"ref\":\"a\"}\n";
    assert_int_equal(send(client.descriptor, line, strlen(line), MSG_NOSIGNAL), strlen(line));
    memory_is_short = true;
    fixture_turn(&fixture);
    memory_is_short = false;
    (void)client_read(&client, FIXTURE_CLIENT_BUFFER);
    assert_true(client.ended);
    client_close(&client);

    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    ask(line);
    unsigned lines = 0;
    while (client_line(&fixture, &client) != NULL)
        lines++;
    assert_int_equal(lines, 102);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_stands_at_its_place_among_the_events, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_agrees_with_the_events_before_and_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(sessions_of_other_backends_are_passed_over, setup_large, teardown),
        cmocka_unit_test_setup_teardown(without_memory_for_a_list_the_connection_ends, setup_large, teardown),
        cmocka_unit_test_setup_teardown(too_many_lists_are_busy, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
