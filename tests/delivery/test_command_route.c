/* Messages that wait for their device: docs/backend.md, "send" with a `ttl`. */
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
#define SENT(ref) "{\"type\":\"sent\",\"ref\":\"" ref "\",\"by\":\"device\"}"
#define SESSION_1 "01000000000000000000000000000000"

static int setup(void **state)
{
    (void)state;
    allocations_allowed = SIZE_MAX;
    fixture_open(&fixture, 2, NULL);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
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

/* Steps over events; the next answer is this. */
static void expect_answer(const char *line)
{
    const char *actual;
    do {
        actual = client_line(&fixture, &client);
        if (actual == NULL)
            fail_msg("nothing came where this was expected: %s", line);
    } while (strstr(actual, "connected\",\"id\"") != NULL);
    assert_string_equal(actual, line);
}

static void expect_error(const char *ref, const char *code)
{
    char beginning[120];
    assert_true(snprintf(beginning, sizeof beginning, "{\"type\":\"error\",\"ref\":\"%s\",\"code\":\"%s\"", ref, code) >
                0);
    const char *actual;
    do {
        actual = client_line(&fixture, &client);
        if (actual == NULL)
            fail_msg("nothing came where this was expected: %s", beginning);
    } while (strstr(actual, "connected\",\"id\"") != NULL);
    if (strncmp(actual, beginning, strlen(beginning)) != 0)
        fail_msg("%s came where this was expected: %s", actual, beginning);
}

/* The shard's next command is this text. */
static struct seam_command *expect_command(const char *text)
{
    struct seam_command *command = worker_command(&fixture);
    assert_non_null(command);
    assert_int_equal(command->outcome, SEAM_PENDING);
    assert_int_equal(command->size, strlen(text));
    assert_memory_equal(command->payload, text, command->size);
    return command;
}

static void finish(const char *text, enum seam_outcome outcome)
{
    (void)expect_command(text);
    worker_finish(&fixture, outcome);
}

/* Several outcomes and events of one turn, as a shard has them when a session ends. */
static void finish_in_this_turn(const char *text, enum seam_outcome outcome)
{
    struct seam_command *command = expect_command(text);
    fixture.commands = command->next;
    seam_outbox_finish(&fixture.outbox, command, outcome);
}

static void append(enum seam_event_kind kind, uint16_t device, uint8_t session)
{
    const struct seam_event event = {
        .kind = kind,
        .transport = SEAM_UDP,
        .wire = 2,
        .backends = worker_backends_of(&fixture, (uint8_t)device),
        .device = {0xde, 0xad, 0xbe, 0xef, (uint8_t)(device >> 8), (uint8_t)device},
        .session = {session},
    };
    assert_true(worker_append(&fixture, &event, NULL));
}

static void a_message_waits_for_its_device(void **state)
{
    (void)state;
    uint64_t before = clock_monotonic_us();
    ask(SEND("01", "\"text\":\"relay=on\",\"ref\":\"a\",\"ttl\":\"10m\""));
    client_expect_nothing(&fixture, &client);
    assert_null(worker_command(&fixture));
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, 1);
    uint64_t after = clock_monotonic_us();

    assert_true(worker_connected(&fixture, 2, 1));
    assert_null(worker_command(&fixture));
    assert_true(worker_connected(&fixture, 1, 1));
    const struct seam_command *command = expect_command("relay=on");
    /* Ten minutes in all, however long it has waited. */
    assert_in_range(command->deadline, before + 600000000, after + 600000000);
    assert_false(command->session_given);
    worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
    expect_answer(SENT("a"));
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, 0);
}

static void a_connected_device_gets_it_at_once(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    uint64_t before = clock_monotonic_us();
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\",\"ttl\":\"2h\""));
    const struct seam_command *command = expect_command("x");
    assert_in_range(command->deadline, before + 7200000000, clock_monotonic_us() + 7200000000);
    worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
    expect_answer(SENT("a"));
}

static void a_message_may_wait_in_vain(void **state)
{
    (void)state;
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"late\",\"ttl\":\"200ms\"")
            SEND("01", "\"text\":\"y\",\"ref\":\"early\",\"ttl\":\"100ms\"")
                SEND("01", "\"text\":\"z\",\"ref\":\"c\",\"ttl\":\"1h\""));
    char *line;
    while ((line = client_line(&fixture, &client)) == NULL)
        (void)uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_string_equal(line, "{\"type\":\"error\",\"ref\":\"early\",\"code\":\"expired\",\"message\":\"device "
                              "de:ad:be:ef:00:01 could not be sent to in time; nothing was sent\"}");
    while ((line = client_line(&fixture, &client)) == NULL)
        (void)uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_non_null(strstr(line, "\"ref\":\"late\",\"code\":\"expired\""));
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, 1);
    /* Neither goes out, the third does. */
    assert_true(worker_connected(&fixture, 1, 1));
    finish("z", SEAM_SENT_BY_DEVICE);
    expect_answer(SENT("c"));
}

static void messages_of_all_backends_keep_their_order(void **state)
{
    (void)state;
    struct client pumps;
    client_connect(&fixture, &pumps, 1);
    client_skip_hello(&fixture, &pumps);
    ask(SEND("01", "\"text\":\"1\",\"ttl\":\"2h\""));
    client_write(&fixture, &pumps, SEND("01", "\"text\":\"2\",\"ttl\":\"1h\""));
    ask(SEND("02", "\"text\":\"other\",\"ttl\":\"1h\"") SEND("01", "\"text\":\"3\",\"ttl\":\"3h\""));
    assert_true(worker_connected(&fixture, 1, 1));
    ask(SEND("01", "\"text\":\"4\"") SEND("01", "\"text\":\"5\",\"ttl\":\"1m\""));
    finish("1", SEAM_SENT_BY_DEVICE);
    finish("2", SEAM_SENT_BY_DEVICE);
    finish("3", SEAM_SENT_BY_DEVICE);
    finish("4", SEAM_SENT_BY_DEVICE);
    finish("5", SEAM_SENT_BY_DEVICE);
    assert_null(worker_command(&fixture));
    client_close(&pumps);
}

/* "a session that ends before it was on the wire puts it back" */
static void what_was_not_sent_waits_again(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    ask(SEND("01", "\"text\":\"1\",\"ref\":\"1\",\"ttl\":\"1h\"") SEND("01", "\"text\":\"2\",\"ref\":\"2\"") SEND(
        "01", "\"text\":\"3\",\"ref\":\"3\",\"ttl\":\"1h\"") SEND("01", "\"text\":\"4\",\"ref\":\"4\",\"ttl\":\"1h\""));
    append(SEAM_DISCONNECTED, 1, 1);
    finish_in_this_turn("1", SEAM_UNCONFIRMED);
    finish_in_this_turn("2", SEAM_NOT_CONNECTED);
    finish_in_this_turn("3", SEAM_NOT_CONNECTED);
    finish_in_this_turn("4", SEAM_NOT_CONNECTED);
    worker_turn(&fixture);
    expect_error("1", "unconfirmed");
    expect_error("2", "not_connected");
    ask(SEND("01", "\"text\":\"5\",\"ref\":\"5\",\"ttl\":\"1h\""));
    assert_null(worker_command(&fixture));
    assert_true(worker_connected(&fixture, 1, 2));
    finish("3", SEAM_SENT_BY_DEVICE);
    finish("4", SEAM_SENT_BY_DEVICE);
    finish("5", SEAM_SENT_BY_DEVICE);
    expect_answer(SENT("3"));
    expect_answer(SENT("4"));
    expect_answer(SENT("5"));
}

/* A device that is back before the old session's messages are: they go to the new one, before what comes then. */
static void a_replaced_session_passes_its_messages_on(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    ask(SEND("01", "\"text\":\"1\",\"ref\":\"1\",\"ttl\":\"1h\"") SEND("01", "\"text\":\"2\",\"ref\":\"2\""));
    append(SEAM_DISCONNECTED, 1, 1);
    append(SEAM_CONNECTED, 1, 2);
    finish_in_this_turn("1", SEAM_NOT_CONNECTED);
    finish_in_this_turn("2", SEAM_NOT_CONNECTED);
    worker_turn(&fixture);
    ask(SEND("01", "\"text\":\"3\",\"ref\":\"3\""));
    finish("1", SEAM_SENT_BY_DEVICE);
    finish("2", SEAM_SENT_BY_DEVICE);
    finish("3", SEAM_SENT_BY_DEVICE);
    expect_answer(SENT("1"));
    expect_answer(SENT("2"));
    expect_answer(SENT("3"));
}

/* Its end is owed for want of memory: the directory still has it, and what comes meanwhile waits behind. */
static void an_end_that_is_told_late_does_not_change_the_order(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    ask(SEND("01", "\"text\":\"1\",\"ttl\":\"1h\"") SEND("01", "\"text\":\"2\",\"ttl\":\"1h\""));
    finish("1", SEAM_NOT_CONNECTED);
    ask(SEND("01", "\"text\":\"3\",\"ttl\":\"1h\""));
    finish("2", SEAM_NOT_CONNECTED);
    finish("3", SEAM_NOT_CONNECTED);
    assert_null(worker_command(&fixture));
    worker_disconnected(&fixture, 1, 1, SEAM_PEER);
    assert_true(worker_connected(&fixture, 1, 2));
    finish("1", SEAM_SENT_BY_DEVICE);
    finish("2", SEAM_SENT_BY_DEVICE);
    finish("3", SEAM_SENT_BY_DEVICE);
}

static void one_that_is_for_a_session_ends_with_it(void **state)
{
    (void)state;
    ask(SEND("01", "\"text\":\"1\",\"ref\":\"1\",\"ttl\":\"1h\",\"session\":\"" SESSION_1 "\""));
    expect_error("1", "not_connected");
    assert_true(worker_connected(&fixture, 1, 1));
    ask(SEND("01", "\"text\":\"2\",\"ref\":\"2\",\"ttl\":\"1h\",\"session\":\"" SESSION_1 "\""));
    append(SEAM_DISCONNECTED, 1, 1);
    append(SEAM_CONNECTED, 1, 2);
    finish_in_this_turn("2", SEAM_NOT_CONNECTED);
    worker_turn(&fixture);
    expect_error("2", "not_connected");
    assert_null(worker_command(&fixture));
    ask(SEND("01", "\"text\":\"3\",\"ref\":\"3\",\"ttl\":\"1h\",\"session\":\"" SESSION_1 "\""));
    expect_error("3", "not_connected");
}

static void what_a_device_refuses_does_not_wait(void **state)
{
    (void)state;
    static const struct {
        enum seam_outcome outcome;
        const char *code;
    } OUTCOMES[] = {
        {SEAM_EXPIRED, "expired"},     {SEAM_UNCONFIRMED, "unconfirmed"},
        {SEAM_TOO_LARGE, "too_large"}, {SEAM_FORBIDDEN, "forbidden"},
        {SEAM_BUSY, "busy"},
    };
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"0\",\"ttl\":\"1h\""));
    assert_true(worker_connected(&fixture, 1, 1));
    for (size_t i = 0; i < sizeof OUTCOMES / sizeof OUTCOMES[0]; i++) {
        finish("x", OUTCOMES[i].outcome);
        expect_error("0", OUTCOMES[i].code);
        ask(SEND("01", "\"text\":\"x\",\"ref\":\"0\",\"ttl\":\"1h\""));
    }
}

static void what_waited_goes_on_without_its_backend(void **state)
{
    (void)state;
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\",\"ttl\":\"1h\"")
            SEND("02", "\"text\":\"y\",\"ref\":\"b\",\"ttl\":\"100ms\""));
    client_close(&client);
    fixture_turn(&fixture);
    while (hub_backend_counters(fixture.hub, 0)->commands > 1)
        (void)uv_run(&fixture.loop, UV_RUN_ONCE);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    finish("x", SEAM_SENT_BY_DEVICE);
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    client_expect_nothing(&fixture, &client);
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, 0);
}

static void what_may_wait_for_a_device_is_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HUB_DEVICE_COMMANDS_MAX; i++)
        ask(SEND("01", "\"text\":\"x\",\"ttl\":\"1h\""));
    client_expect_nothing(&fixture, &client);
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\",\"ttl\":\"1h\""));
    expect_error("a", "busy");
    ask(SEND("02", "\"text\":\"x\",\"ref\":\"b\",\"ttl\":\"1h\""));
    client_expect_nothing(&fixture, &client);
    /* The same bound once they are under way. */
    assert_true(worker_connected(&fixture, 1, 1));
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"c\""));
    expect_error("c", "busy");
}

static void connect_device(uint16_t device)
{
    append(SEAM_CONNECTED, device, 1);
    worker_turn(&fixture);
}

/* Thousands of devices, each with a few messages; what has a ttl leaves what has none its room. */
static void what_may_wait_for_all_devices_is_bounded(void **state)
{
    (void)state;
    enum { DEVICES = 4096, EACH = HUB_TTL_COMMANDS_MAX / DEVICES };
    char line[200];
    for (unsigned i = 0; i < HUB_TTL_COMMANDS_MAX; i++) {
        unsigned device = i % DEVICES + 0x1000;
        assert_true(snprintf(line, sizeof line,
                             "{\"op\":\"send\",\"device\":\"de:ad:be:ef:%02x:%02x\",\"text\":\"%u\",\"ttl\":\"1h\"}\n",
                             device >> 8, device & 0xff, i / DEVICES) > 0);
        ask(line);
    }
    client_expect_nothing(&fixture, &client);
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\",\"ttl\":\"1h\""));
    expect_error("a", "busy");
    assert_true(worker_connected(&fixture, 1, 1));
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"b\""));
    finish("x", SEAM_SENT_BY_DEVICE);
    expect_answer(SENT("b"));

    static const unsigned SOME[] = {0x1fff, 0x1000, 0x1800};
    for (size_t i = 0; i < sizeof SOME / sizeof SOME[0]; i++) {
        connect_device((uint16_t)SOME[i]);
        for (unsigned number = 0; number < EACH; number++) {
            assert_true(snprintf(line, sizeof line, "%u", number) > 0);
            const struct seam_command *command = expect_command(line);
            assert_int_equal(command->device[4], SOME[i] >> 8);
            assert_int_equal(command->device[5], SOME[i] & 0xff);
            worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
        }
        assert_null(worker_command(&fixture));
    }
    ask(SEND("02", "\"text\":\"x\",\"ref\":\"c\",\"ttl\":\"1h\""));
    assert_null(worker_command(&fixture));
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, HUB_TTL_COMMANDS_MAX - 3 * EACH + 1);
}

static void the_bytes_that_may_wait_are_bounded(void **state)
{
    (void)state;
    static char text[SEAM_PAYLOAD_MAX + 1];
    char line[sizeof text + 200];
    memset(text, 'x', sizeof text - 1);
    unsigned taken = 0;
    char *answer;
    for (;; taken++) {
        assert_true(taken * SEAM_PAYLOAD_MAX < HUB_TTL_COMMAND_BYTES_MAX);
        assert_true(snprintf(line, sizeof line,
                             "{\"op\":\"send\",\"device\":\"de:ad:be:ef:%02x:%02x\",\"text\":\"%s\",\"ttl\":\"1h\"}\n",
                             taken >> 8, taken & 0xff, text) > 0);
        ask(line);
        if (taken % 100 == 0 && (answer = client_line(&fixture, &client)) != NULL)
            break;
    }
    assert_non_null(strstr(answer, "\"busy\""));
    assert_true(taken > HUB_TTL_COMMAND_BYTES_MAX / (SEAM_PAYLOAD_MAX + 512));
}

/* Nobody connects any more: what waits has waited in vain. */
static void the_end_of_usmpd_is_answered(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 2, 1));
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\",\"ttl\":\"1h\"") SEND(
        "02", "\"text\":\"y\",\"ref\":\"b\",\"ttl\":\"1h\"") SEND("02", "\"text\":\"z\",\"ref\":\"c\",\"ttl\":\"1h\""));
    append(SEAM_DISCONNECTED, 2, 1);
    finish_in_this_turn("y", SEAM_NOT_CONNECTED);
    worker_turn(&fixture);
    assert_int_equal(hub_drain(fixture.hub, NULL, NULL), HUB_DRAINED);
    expect_error("a", "expired");
    expect_error("b", "expired");
    finish("z", SEAM_NOT_CONNECTED);
    expect_error("c", "expired");
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, 0);
}

static void one_that_waits_is_freed_at_the_end(void **state)
{
    (void)state;
    ask(SEND("01", "\"text\":\"x\",\"ttl\":\"1h\"") SEND("01", "\"text\":\"y\",\"ttl\":\"1h\""));
    assert_int_equal(hub_backend_counters(fixture.hub, 0)->commands, 2);
    /* The teardown closes the hub; a sanitizer looks for leaks. */
}

/* Each request with the n-th allocation failing: it is answered or it waits, and then all is well. */
static void memory_may_fail_anywhere(void **state)
{
    (void)state;
    bool has_waited = false;
    for (size_t allowed = 0; !has_waited; allowed++) {
        assert_true(allowed < 50);
        client_close(&client);
        client_connect(&fixture, &client, 0);
        client_skip_hello(&fixture, &client);
        allocations_allowed = allowed;
        client_write(&fixture, &client, SEND("01", "\"text\":\"x\",\"ref\":\"a\",\"ttl\":\"1h\""));
        allocations_allowed = SIZE_MAX;
        has_waited = hub_backend_counters(fixture.hub, 0)->commands > 0;
        const char *line = client_line(&fixture, &client);
        assert_int_equal(line != NULL || client.ended, !has_waited);
    }
    assert_true(worker_connected(&fixture, 1, 1));
    finish("x", SEAM_SENT_BY_DEVICE);
    expect_answer(SENT("a"));
}

/* One that came back finds no memory to wait again. */
static void one_that_came_back_may_find_no_memory(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    ask(SEND("01", "\"text\":\"x\",\"ref\":\"a\",\"ttl\":\"1h\""));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    append(SEAM_DISCONNECTED, 1, 1);
    finish_in_this_turn("x", SEAM_NOT_CONNECTED);
    allocations_allowed = 0; /* for the answer there is some left */
    worker_turn(&fixture);
    allocations_allowed = SIZE_MAX;
    expect_error("a", "busy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_waits_for_its_device, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connected_device_gets_it_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message_may_wait_in_vain, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_of_all_backends_keep_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_sent_waits_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_replaced_session_passes_its_messages_on, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_that_is_told_late_does_not_change_the_order, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_for_a_session_ends_with_it, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_device_refuses_does_not_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waited_goes_on_without_its_backend, setup, teardown),
        cmocka_unit_test_setup_teardown(what_may_wait_for_a_device_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(what_may_wait_for_all_devices_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(the_bytes_that_may_wait_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_usmpd_is_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_waits_is_freed_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_may_fail_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_came_back_may_find_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
