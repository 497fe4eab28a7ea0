#include "delivery/hub_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delivery/hub_state.h"

static size_t allocations_allowed = SIZE_MAX;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static int loop_error; /* of the next call below */
static int calls_before_it;

int __real_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int descriptor);
int __real_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback);
int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int descriptor);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback);

static int next_loop_error(void)
{
    if (loop_error == 0 || calls_before_it-- > 0)
        return 0;
    int error = loop_error;
    loop_error = 0;
    return error;
}

int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int descriptor)
{
    int error = next_loop_error();
    return error != 0 ? error : __real_uv_poll_init(loop, poll, descriptor);
}

int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback)
{
    int error = next_loop_error();
    return error != 0 ? error : __real_uv_poll_start(poll, events, callback);
}

static bool may_allocate(void)
{
    if (allocations_allowed == 0)
        return false;
    if (allocations_allowed != SIZE_MAX)
        allocations_allowed--;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

static struct hub_fixture fixture;
static struct client client;

static struct hub *open_hub(unsigned workers, struct error_text *error)
{
    const struct hub_settings settings = {.backends = &fixture.backends, .workers = workers, .version = "0.1.0"};
    return hub_open(&fixture.loop, &settings, error);
}

static void it_makes_its_sockets_and_removes_them(void **state)
{
    (void)state;
    fixture_prepare(&fixture, 2);
    fixture.items[1].mode = 0660;
    struct error_text error;
    fixture.hub = open_hub(1, &error);
    assert_non_null(fixture.hub);
    struct stat status;
    assert_int_equal(stat(fixture.paths[0], &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(fixture.paths[1], &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    assert_int_equal(hub_backend_count(fixture.hub), 2);
    assert_string_equal(hub_backend_name(fixture.hub, 1), "pumps");
    fixture_close(&fixture); /* looks that nothing is left */
}

static void a_socket_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    fixture_prepare(&fixture, 2);
    fixture.items[1].socket = "/nonexistent/folder/socket";
    struct error_text error;
    assert_null(open_hub(1, &error));
    assert_non_null(strstr(error.text, "/nonexistent/folder/socket"));
    fixture_remove(&fixture);
}

static void two_hubs_on_one_socket_are_refused(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    struct error_text error;
    assert_null(open_hub(1, &error));
    assert_true(strlen(error.text) > 0);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    client_close(&client);
    fixture_close(&fixture);
}

/* Every allocation of hub_open() fails once; nothing is left behind each time. */
static void memory_may_fail_while_it_opens(void **state)
{
    (void)state;
    size_t failures = 0;
    for (struct hub *hub = NULL; hub == NULL; failures++) {
        fixture_prepare(&fixture, 2);
        struct error_text error = {""};
        allocations_allowed = failures;
        hub = open_hub(1, &error);
        allocations_allowed = SIZE_MAX;
        if (hub != NULL) {
            hub_close(hub);
        } else {
            assert_true(strlen(error.text) > 0);
        }
        fixture_remove(&fixture);
    }
    assert_in_range(failures, 8, 100);
}

/* Two backends: each listens with one call of either kind. */
static void the_loop_may_refuse_while_it_opens(void **state)
{
    (void)state;
    for (int calls = 0; calls < 4; calls++) {
        fixture_prepare(&fixture, 2);
        struct error_text error = {""};
        loop_error = UV_ENOMEM;
        calls_before_it = calls;
        assert_null(open_hub(1, &error));
        assert_non_null(strstr(error.text, fixture.paths[calls / 2]));
        fixture_remove(&fixture);
    }
}

static void the_loop_may_refuse_a_connection(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    for (int calls = 0; calls < 2; calls++) {
        loop_error = UV_ENOMEM;
        calls_before_it = calls;
        client_connect(&fixture, &client, 0);
        assert_int_equal(loop_error, 0);
        assert_false(hub_backend_counters(fixture.hub, 0)->connected);
        while (client_line(&fixture, &client) != NULL) {
        }
        assert_true(client.ended);
        client_close(&client);
    }
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    client_close(&client);
    fixture_close(&fixture);
}

static void a_session_without_memory_for_the_directory_flows_all_the_same(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    allocations_allowed = 2; /* the worker's batch and the queue's chunk */
    assert_true(worker_connected(&fixture, 1, 1));
    allocations_allowed = SIZE_MAX;
    assert_int_equal(fixture_logged(&fixture, "memory is short, backends cannot reach a device"), 1);
    assert_true(worker_message(&fixture, 1, 1, "x", 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    client_expect_event(&fixture, &client, "message", 2, 1, "x");
    client_write(&fixture, &client, "{\"op\":\"close\",\"device\":\"de:ad:be:ef:00:01\",\"ref\":\"a\"}\n");
    client_expect_error(&fixture, &client, "a", "not_connected");
    worker_disconnected(&fixture, 1, 1, SEAM_BYE);
    client_expect_event(&fixture, &client, "disconnected", 3, 1, NULL);
    client_close(&client);
    fixture_close(&fixture);
}

static void mark_called(void *context)
{
    (*(unsigned *)context)++;
}

static void with_nothing_queued_it_is_drained_at_once(void **state)
{
    (void)state;
    fixture_open(&fixture, 2, NULL);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    unsigned called = 0;
    assert_int_equal(hub_drain(fixture.hub, mark_called, &called), HUB_DRAINED);
    fixture_turn(&fixture);
    assert_int_equal(called, 0);
    client_close(&client);
    fixture_close(&fixture);
}

static void what_nobody_can_take_does_not_hold_it_up(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    assert_true(worker_connected(&fixture, 1, 1));
    worker_disconnected(&fixture, 1, 1, SEAM_SHUTDOWN);
    unsigned called = 0;
    assert_int_equal(hub_drain(fixture.hub, mark_called, &called), HUB_DRAINED);
    /* Nobody may connect any more. */
    assert_int_not_equal(access(fixture.paths[0], F_OK), 0);
    hub_close(fixture.hub);
    assert_int_equal(fixture_logged(&fixture, "queued events are lost with the end of usmpd"), 1);
    fixture_remove(&fixture);
}

static void fill_until_blocked(void)
{
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    char payload[1000];
    memset(payload, 'x', sizeof payload);
    while (worker_message(&fixture, 1, 1, payload, sizeof payload)) {
    }
    worker_disconnected(&fixture, 1, 1, SEAM_SHUTDOWN);
}

static void draining_lasts_until_the_reader_has_everything(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    fill_until_blocked();
    unsigned called = 0;
    assert_int_equal(hub_drain(fixture.hub, mark_called, &called), HUB_DRAINING);
    fixture_turn(&fixture);
    assert_int_equal(called, 0);

    json_int_t id = 0;
    bool ended = false;
    for (char *line = client_line(&fixture, &client); line != NULL; line = client_line(&fixture, &client)) {
        json_t *event = json_loads(line, 0, NULL);
        assert_int_equal(json_integer_value(json_object_get(event, "id")), ++id);
        ended = strcmp(json_string_value(json_object_get(event, "type")), "disconnected") == 0;
        json_decref(event);
    }
    assert_true(ended);
    assert_int_equal(called, 1);
    fixture_turn(&fixture);
    assert_int_equal(called, 1);
    client_close(&client);
    hub_close(fixture.hub);
    assert_int_equal(fixture_logged(&fixture, "queued events are lost"), 0);
    fixture_remove(&fixture);
}

static void a_reader_that_goes_ends_the_draining(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    fill_until_blocked();
    unsigned called = 0;
    assert_int_equal(hub_drain(fixture.hub, mark_called, &called), HUB_DRAINING);
    client_close(&client);
    fixture_turn(&fixture);
    assert_int_equal(called, 1);
    fixture_close(&fixture);
}

static void while_draining_no_command_is_read(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    fill_until_blocked();
    client_write(&fixture, &client, "{\"op\":\"list\",\"ref\":\"before\"}\n");
    unsigned called = 0;
    assert_int_equal(hub_drain(fixture.hub, mark_called, &called), HUB_DRAINING);
    client_write(&fixture, &client, "{\"op\":\"list\",\"ref\":\"after\"}\n");
    unsigned before = 0;
    for (char *line = client_line(&fixture, &client); line != NULL; line = client_line(&fixture, &client)) {
        assert_null(strstr(line, "\"after\""));
        before += strstr(line, "\"before\"") != NULL;
    }
    assert_int_equal(before, 1);
    assert_int_equal(called, 1);
    client_close(&client);
    fixture_close(&fixture);
}

static void closing_may_come_at_any_time(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    fill_until_blocked();
    unsigned called = 0;
    assert_int_equal(hub_drain(fixture.hub, mark_called, &called), HUB_DRAINING);
    fixture_close(&fixture);
    assert_int_equal(called, 0);
    client_close(&client);
}

static void no_wake(void *context)
{
    (void)context;
}

static void several_workers_share_credit_and_get_their_own_commands(void **state)
{
    (void)state;
    fixture_prepare(&fixture, 1);
    struct error_text error;
    fixture.hub = open_hub(2, &error);
    assert_non_null(fixture.hub);
    struct seam_inbox second;
    seam_inbox_open(&second, no_wake, NULL);
    hub_attach(fixture.hub, &fixture.inbox);
    hub_attach(fixture.hub, &second);
    assert_int_equal(fixture.inbox.credit.bytes[0], 32768);
    assert_int_equal(second.credit.bytes[0], 32768);
    fixture_turn(&fixture);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);

    /* Device 1 on the first worker, device 2 on the second. */
    assert_true(worker_connected(&fixture, 1, 1));
    struct seam_event event = {
        .kind = SEAM_CONNECTED, .backends = 1, .device = {0xde, 0xad, 0xbe, 0xef, 0x00, 2}, .session = {2}};
    struct seam_outbox outbox;
    seam_outbox_open(&outbox);
    assert_true(seam_outbox_append(&outbox, &event, NULL));
    hub_receive(fixture.hub, &second, &outbox);
    hub_check(fixture.hub);
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    client_expect_event(&fixture, &client, "connected", 2, 2, NULL);

    client_write(&fixture, &client,
                 "{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:02\",\"text\":\"two\",\"ref\":\"b\"}\n"
                 "{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:01\",\"text\":\"one\",\"ref\":\"a\"}\n");
    assert_memory_equal(worker_command(&fixture)->payload, "one", 3);
    struct seam_credit credit;
    bool credited;
    struct seam_command *command = seam_inbox_take(&second, &credit, &credited);
    assert_non_null(command);
    assert_memory_equal(command->payload, "two", 3);
    seam_outbox_finish(&outbox, command, SEAM_SENT_BY_SOCKET);
    hub_receive(fixture.hub, &second, &outbox);
    client_expect(&fixture, &client, "{\"type\":\"sent\",\"ref\":\"b\",\"by\":\"socket\"}");
    worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
    client_expect(&fixture, &client, "{\"type\":\"sent\",\"ref\":\"a\",\"by\":\"device\"}");
    seam_outbox_close(&outbox);
    client_close(&client);
    fixture_close(&fixture);
}

static void each_start_has_its_own_epoch(void **state)
{
    (void)state;
    char first[64];
    fixture_open(&fixture, 1, NULL);
    assert_true(snprintf(first, sizeof first, "%s", fixture.hub->epoch) == 16);
    fixture_close(&fixture);
    fixture_open(&fixture, 1, NULL);
    assert_string_not_equal(first, fixture.hub->epoch);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_makes_its_sockets_and_removes_them),
        cmocka_unit_test(a_socket_that_cannot_be_made_is_named),
        cmocka_unit_test(two_hubs_on_one_socket_are_refused),
        cmocka_unit_test(memory_may_fail_while_it_opens),
        cmocka_unit_test(the_loop_may_refuse_while_it_opens),
        cmocka_unit_test(the_loop_may_refuse_a_connection),
        cmocka_unit_test(a_session_without_memory_for_the_directory_flows_all_the_same),
        cmocka_unit_test(with_nothing_queued_it_is_drained_at_once),
        cmocka_unit_test(what_nobody_can_take_does_not_hold_it_up),
        cmocka_unit_test(draining_lasts_until_the_reader_has_everything),
        cmocka_unit_test(a_reader_that_goes_ends_the_draining),
        cmocka_unit_test(while_draining_no_command_is_read),
        cmocka_unit_test(closing_may_come_at_any_time),
        cmocka_unit_test(several_workers_share_credit_and_get_their_own_commands),
        cmocka_unit_test(each_start_has_its_own_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
