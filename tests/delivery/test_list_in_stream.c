#include "delivery/hub_fixture.h"

#include <stdlib.h>
#include <string.h>

#define SESSION_1 "01000000000000000000000000000000"
#define SESSION_2 "02000000000000000000000000000000"

static struct hub_fixture fixture;
static struct client client;

static int setup(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    return 0;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_stands_at_its_place_among_the_events, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_agrees_with_the_events_before_and_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_lists_are_busy, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
