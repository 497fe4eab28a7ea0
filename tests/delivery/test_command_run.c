#include "delivery/hub_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"

static size_t allocations_allowed = SIZE_MAX;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    if (allocations_allowed == 0)
        return NULL;
    if (allocations_allowed != SIZE_MAX)
        allocations_allowed--;
    return __real_malloc(size);
}

static struct hub_fixture fixture;
static struct client client;

#define SEND(device, rest) "{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:" device "\"," rest "}\n"
#define CLOSE(device, rest) "{\"op\":\"close\",\"device\":\"de:ad:be:ef:00:" device "\"" rest "}\n"
#define SESSION_1 "01000000000000000000000000000000"
#define SESSION_2 "02000000000000000000000000000000"

/* Connected to backend `backend`, device 1 has session 1. */
static void open_with(size_t backend, void (*prepare)(struct hub_fixture *fixture))
{
    allocations_allowed = SIZE_MAX;
    fixture_open(&fixture, 2, prepare);
    client_connect(&fixture, &client, backend);
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
}

static int setup(void **state)
{
    (void)state;
    open_with(0, NULL);
    return 0;
}

static int setup_pumps(void **state)
{
    (void)state;
    open_with(1, NULL);
    return 0;
}

static void forbid_commands(struct hub_fixture *prepared)
{
    prepared->items[0].commands = false;
}

static int setup_without_commands(void **state)
{
    (void)state;
    open_with(0, forbid_commands);
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

static void a_send_goes_to_the_shard_and_its_outcome_comes_back(void **state)
{
    (void)state;
    uint64_t before = clock_monotonic_us();
    ask(SEND("01", "\"text\":\"relay=on\",\"ref\":\"r1\""));
    client_expect_nothing(&fixture, &client);
    struct seam_command *command = worker_command(&fixture);
    assert_non_null(command);
    assert_int_equal(command->operation, SEAM_SEND);
    assert_memory_equal(command->device, "\xde\xad\xbe\xef\x00\x01", 6);
    assert_false(command->session_given);
    assert_int_equal(command->size, 8);
    assert_memory_equal(command->payload, "relay=on", 8);
    assert_in_range(command->deadline, before + 30000000, clock_monotonic_us() + 30000000);
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, 1);

    worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
    client_expect(&fixture, &client, "{\"type\":\"sent\",\"ref\":\"r1\",\"by\":\"device\"}");
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, 0);

    ask(SEND("01", "\"base64\":\"AAEC\",\"ref\":\"r2\",\"session\":\"" SESSION_1 "\""));
    command = worker_command(&fixture);
    assert_true(command->session_given);
    assert_int_equal(command->session[0], 1);
    assert_memory_equal(command->payload, "\0\1\2", 3);
    worker_finish(&fixture, SEAM_SENT_BY_SOCKET);
    client_expect(&fixture, &client, "{\"type\":\"sent\",\"ref\":\"r2\",\"by\":\"socket\"}");
}

static void a_close_is_answered(void **state)
{
    (void)state;
    ask(CLOSE("01", ",\"ref\":\"r4\""));
    struct seam_command *command = worker_command(&fixture);
    assert_int_equal(command->operation, SEAM_CLOSE);
    worker_disconnected(&fixture, 1, 1, SEAM_CLOSED);
    worker_finish(&fixture, SEAM_CLOSE_DONE);
    client_expect_event(&fixture, &client, "disconnected", 2, 1, NULL);
    client_expect(&fixture, &client, "{\"type\":\"closed\",\"ref\":\"r4\"}");
}

static void sends_keep_their_order(void **state)
{
    (void)state;
    char line[200];
    for (int i = 0; i < 60; i++) {
        assert_true(snprintf(line, sizeof line, SEND("01", "\"text\":\"%d\""), i) > 0);
        ask(line);
    }
    for (int i = 0; i < 60; i++) {
        const struct seam_command *command = worker_command(&fixture);
        char text[16];
        int length = snprintf(text, sizeof text, "%d", i);
        assert_int_equal(command->size, length);
        assert_memory_equal(command->payload, text, (size_t)length);
        worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
    }
    client_expect_nothing(&fixture, &client); /* no ref, no answer */
}

static void each_outcome_has_its_answer(void **state)
{
    (void)state;
    static const struct {
        enum seam_outcome outcome;
        const char *code;
    } OUTCOMES[] = {
        {SEAM_NOT_CONNECTED, "not_connected"}, {SEAM_EXPIRED, "expired"},
        {SEAM_UNCONFIRMED, "unconfirmed"},     {SEAM_BUSY, "busy"},
        {SEAM_FORBIDDEN, "forbidden"},
    };
    for (size_t i = 0; i < sizeof OUTCOMES / sizeof OUTCOMES[0]; i++) {
        ask(SEND("01", "\"text\":\"x\",\"ref\":\"r\"") SEND("01", "\"text\":\"x\""));
        assert_non_null(worker_command(&fixture));
        worker_finish(&fixture, OUTCOMES[i].outcome);
        client_expect_error(&fixture, &client, "r", OUTCOMES[i].code);
        worker_finish(&fixture, OUTCOMES[i].outcome);
        client_expect_error(&fixture, &client, NULL, OUTCOMES[i].code);
    }
}

static void a_device_that_takes_less_says_how_much(void **state)
{
    (void)state;
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"r\""));
    worker_command(&fixture)->limit = 255;
    worker_finish(&fixture, SEAM_TOO_LARGE);
    json_t *error = client_object(&fixture, &client, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), "too_large");
    assert_int_equal(json_integer_value(json_object_get(error, "limit")), 255);
    json_decref(error);
}

static void a_payload_has_1808_bytes_at_most(void **state)
{
    (void)state;
    char line[2200];
    char text[1810];
    memset(text, 'x', sizeof text);
    text[1808] = '\0';
    assert_true(snprintf(line, sizeof line, SEND("01", "\"text\":\"%s\",\"ref\":\"r\""), text) > 0);
    ask(line);
    assert_int_equal(worker_command(&fixture)->size, 1808);
    worker_finish(&fixture, SEAM_SENT_BY_SOCKET);
    json_decref(client_object(&fixture, &client, "sent"));

    text[1808] = 'x';
    text[1809] = '\0';
    assert_true(snprintf(line, sizeof line, SEND("01", "\"text\":\"%s\",\"ref\":\"r\""), text) > 0);
    ask(line);
    assert_null(worker_command(&fixture));
    json_t *error = client_object(&fixture, &client, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), "too_large");
    assert_int_equal(json_integer_value(json_object_get(error, "limit")), 1808);
    json_decref(error);
}

static void only_what_is_connected_can_be_sent_to(void **state)
{
    (void)state;
    ask(SEND("02", "\"text\":\"x\",\"ref\":\"a\""));
    client_expect(&fixture, &client,
                  "{\"type\":\"error\",\"ref\":\"a\",\"code\":\"not_connected\",\"message\":\"device "
                  "de:ad:be:ef:00:02 has no session\"}");
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"b\",\"session\":\"" SESSION_2 "\""));
    client_expect_error(&fixture, &client, "b", "not_connected");
    ask(CLOSE("02", ",\"ref\":\"c\""));
    client_expect_error(&fixture, &client, "c", "not_connected");

    worker_disconnected(&fixture, 1, 1, SEAM_BYE);
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"d\""));
    client_expect_event(&fixture, &client, "disconnected", 2, 1, NULL);
    client_expect_error(&fixture, &client, "d", "not_connected");
    assert_true(worker_connected(&fixture, 1, 2));
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"e\",\"session\":\"" SESSION_2 "\""));
    assert_non_null(worker_command(&fixture));
    worker_finish(&fixture, SEAM_SENT_BY_SOCKET);
}

static void what_is_outside_the_patterns_is_forbidden_there_or_not(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 0x10, 1));
    ask(SEND("10", "\"text\":\"x\",\"ref\":\"a\"") SEND("11", "\"text\":\"x\",\"ref\":\"b\""));
    char *there = client_line(&fixture, &client);
    assert_non_null(there);
    char copy[300];
    assert_true(snprintf(copy, sizeof copy, "%s", there) < (int)sizeof copy);
    /* Letter for letter the same answer, but for ref and device. */
    *(strstr(copy, "\"ref\":\"a\"") + 7) = 'b';
    *(strstr(copy, "00:10") + 4) = '1';
    client_expect(&fixture, &client, copy);
    assert_non_null(strstr(copy, "\"forbidden\""));
    ask(CLOSE("10", ",\"ref\":\"c\""));
    client_expect_error(&fixture, &client, "c", "forbidden");
    assert_null(worker_command(&fixture));

    ask(SEND("01", "\"text\":\"x\",\"ref\":\"d\""));
    assert_non_null(worker_command(&fixture));
    worker_finish(&fixture, SEAM_SENT_BY_SOCKET);
    json_decref(client_object(&fixture, &client, "sent"));
    ask("{\"op\":\"list\",\"ref\":\"e\"}\n");
    json_decref(client_object(&fixture, &client, "session"));
    client_expect(&fixture, &client, "{\"type\":\"listed\",\"ref\":\"e\",\"count\":1}");
}

static void a_backend_without_commands_may_only_look(void **state)
{
    (void)state;
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\"") CLOSE("01", "") "{\"op\":\"list\"}\n");
    client_expect_error(&fixture, &client, "a", "forbidden");
    client_expect_error(&fixture, &client, NULL, "forbidden");
    json_decref(client_object(&fixture, &client, "session"));
    client_expect(&fixture, &client, "{\"type\":\"listed\",\"count\":1}");
    assert_null(worker_command(&fixture));
}

static void too_many_sends_to_one_device_are_busy(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 2, 1));
    client_expect_event(&fixture, &client, "connected", 2, 2, NULL);
    for (unsigned i = 0; i < HUB_DEVICE_COMMANDS_MAX; i++)
        ask(SEND("01", "\"text\":\"x\""));
    client_expect_nothing(&fixture, &client);
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\""));
    client_expect_error(&fixture, &client, "a", "busy");
    ask(SEND("02", "\"text\":\"x\",\"ref\":\"b\""));
    client_expect_nothing(&fixture, &client);

    assert_non_null(worker_command(&fixture));
    worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"c\""));
    client_expect_nothing(&fixture, &client);
    while (worker_command(&fixture) != NULL)
        worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, 0);
}

static void a_new_session_begins_with_nothing_under_way(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HUB_DEVICE_COMMANDS_MAX; i++)
        ask(SEND("01", "\"text\":\"x\""));
    assert_non_null(worker_command(&fixture));
    worker_disconnected(&fixture, 1, 1, SEAM_REPLACED);
    assert_true(worker_connected(&fixture, 1, 2));
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\""));
    client_expect_event(&fixture, &client, "disconnected", 2, 1, NULL);
    client_expect_event(&fixture, &client, "connected", 3, 1, NULL);
    client_expect_nothing(&fixture, &client);
    /* What was for the old one comes back and does not count for the new one. */
    for (unsigned i = 0; i < HUB_DEVICE_COMMANDS_MAX; i++) {
        worker_finish(&fixture, SEAM_UNCONFIRMED);
        client_expect_error(&fixture, &client, NULL, "unconfirmed");
    }
    worker_finish(&fixture, SEAM_SENT_BY_SOCKET);
    client_expect(&fixture, &client, "{\"type\":\"sent\",\"ref\":\"a\",\"by\":\"socket\"}");
}

static void too_many_commands_of_a_backend_are_busy(void **state)
{
    (void)state;
    char line[200];
    unsigned devices = HUB_COMMANDS_MAX / HUB_DEVICE_COMMANDS_MAX;
    for (unsigned device = 2; device <= devices + 1; device++)
        assert_true(worker_connected(&fixture, (uint8_t)device, 1));
    for (unsigned i = 0; i < HUB_COMMANDS_MAX; i++) {
        assert_true(snprintf(line, sizeof line, SEND("%02x", "\"text\":\"x\""), i % devices + 2) > 0);
        ask(line);
    }
    while (client_line(&fixture, &client) != NULL) {
    }
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\""));
    client_expect_error(&fixture, &client, "a", "busy");
    while (worker_command(&fixture) != NULL)
        worker_finish(&fixture, SEAM_BUSY);
    unsigned answers = 0;
    while (client_line(&fixture, &client) != NULL)
        answers++;
    assert_int_equal(answers, HUB_COMMANDS_MAX);
}

static void mistakes_are_answered_with_what_is_wrong(void **state)
{
    (void)state;
    ask(SEND("01", "\"text\":\"x\",\"ttl\":\"10\",\"ref\":\"a\""));
    client_expect(&fixture, &client,
                  "{\"type\":\"error\",\"ref\":\"a\",\"code\":\"bad_request\",\"message\":\"\\\"ttl\\\" needs a "
                  "unit: ms, s, m, h or d\"}");
    ask("{\"op\":\"ack\",\"id\":3}\n");
    client_expect_error(&fixture, &client, NULL, "bad_request");
    ask(SEND("01", "\"text\":\"x\",\"txt\":\"x\",\"ref\":\"b\""));
    json_t *error = client_object(&fixture, &client, "error");
    assert_non_null(strstr(json_string_value(json_object_get(error, "message")), "txt"));
    json_decref(error);
    assert_null(worker_command(&fixture));
}

/* Each request with the n-th allocation failing: an error or the connection's end, and then all is well. */
static void memory_may_fail_anywhere(void **state)
{
    (void)state;
    static const char *const REQUESTS[] = {
        SEND("01", "\"text\":\"x\",\"ref\":\"a\""),
        CLOSE("01", ",\"ref\":\"a\""),
        "{\"op\":\"list\",\"ref\":\"a\"}\n",
        "nonsense\n",
    };
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        for (size_t allowed = 0; allowed < 30; allowed++) {
            client_close(&client);
            client_connect(&fixture, &client, 0);
            client_skip_hello(&fixture, &client);
            allocations_allowed = allowed;
            json_set_alloc_funcs(__wrap_malloc, free);
            client_write(&fixture, &client, REQUESTS[i]);
            json_set_alloc_funcs(malloc, free);
            allocations_allowed = SIZE_MAX;
            if (worker_command(&fixture) != NULL)
                worker_finish(&fixture, SEAM_NOT_CONNECTED);
            char *line = client_line(&fixture, &client);
            assert_true(line != NULL || client.ended);
            if (line != NULL) {
                json_t *answer = json_loads(line, 0, NULL);
                assert_non_null(answer);
                json_decref(answer);
            }
        }
    }
    client_close(&client);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\""));
    assert_non_null(worker_command(&fixture));
    worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
    client_expect(&fixture, &client, "{\"type\":\"sent\",\"ref\":\"a\",\"by\":\"device\"}");
}

static void commands_under_way_are_freed_at_the_end(void **state)
{
    (void)state;
    ask(SEND("01", "\"text\":\"x\"") SEND("01", "\"text\":\"y\""));
    assert_non_null(worker_command(&fixture));
    /* The teardown closes the hub while the worker has them; a sanitizer looks for leaks. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_send_goes_to_the_shard_and_its_outcome_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_close_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(sends_keep_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(each_outcome_has_its_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_that_takes_less_says_how_much, setup, teardown),
        cmocka_unit_test_setup_teardown(a_payload_has_1808_bytes_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_is_connected_can_be_sent_to, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_outside_the_patterns_is_forbidden_there_or_not, setup_pumps, teardown),
        cmocka_unit_test_setup_teardown(a_backend_without_commands_may_only_look, setup_without_commands, teardown),
        cmocka_unit_test_setup_teardown(too_many_sends_to_one_device_are_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_session_begins_with_nothing_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_commands_of_a_backend_are_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_are_answered_with_what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_may_fail_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(commands_under_way_are_freed_at_the_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
