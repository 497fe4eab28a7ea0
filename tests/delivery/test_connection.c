#define _GNU_SOURCE
#include "delivery/hub_fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "delivery/backend.h"
#include "delivery/connection.h"
#include "delivery/hub_state.h"

static int accept_error;
static bool memory_is_short;
static size_t kernel_takes = SIZE_MAX; /* bytes from the hub, before it asks to wait */

ssize_t __real_send(int descriptor, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int descriptor, const void *bytes, size_t size, int flags);
int __real_accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int __wrap_accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

int __wrap_accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags)
{
    if (accept_error != 0) {
        errno = accept_error;
        accept_error = 0;
        return -1;
    }
    return __real_accept4(descriptor, address, length, flags);
}

ssize_t __wrap_send(int descriptor, const void *bytes, size_t size, int flags)
{
    if ((flags & MSG_DONTWAIT) == 0)
        return __real_send(descriptor, bytes, size, flags); /* a client's */
    if (kernel_takes == 0) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t sent = __real_send(descriptor, bytes, size < kernel_takes ? size : kernel_takes, flags);
    if (sent > 0 && kernel_takes != SIZE_MAX)
        kernel_takes -= (size_t)sent;
    return sent;
}

void *__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

static struct hub_fixture fixture;
static struct client client;

static int setup(void **state)
{
    (void)state;
    accept_error = 0;
    memory_is_short = false;
    kernel_takes = SIZE_MAX;
    fixture_open(&fixture, 1, NULL);
    return 0;
}

static int setup_connected(void **state)
{
    (void)setup(state);
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static int teardown_connected(void **state)
{
    client_close(&client);
    return teardown(state);
}

static void connect_client(const struct client *to)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, fixture.paths[0]);
    assert_int_equal(connect(to->descriptor, (const struct sockaddr *)&address, sizeof address), 0);
}

static bool is_connected(void)
{
    return hub_backend_counters(fixture.hub, 0)->connected;
}

static void a_backend_is_greeted_first(void **state)
{
    (void)state;
    assert_false(is_connected());
    client_connect(&fixture, &client, 0);
    assert_true(is_connected());
    json_t *hello = client_object(&fixture, &client, "hello");
    assert_int_equal(json_integer_value(json_object_get(hello, "protocol")), 1);
    assert_string_equal(json_string_value(json_object_get(hello, "version")), "0.1.0");
    assert_string_equal(json_string_value(json_object_get(hello, "backend")), "default");
    assert_string_equal(json_string_value(json_object_get(hello, "delivery")), "live");
    assert_int_equal(strspn(json_string_value(json_object_get(hello, "epoch")), "0123456789abcdef"), 16);
    assert_int_equal(json_integer_value(json_object_get(hello, "next_id")), 1);
    json_decref(hello);
    client_expect_nothing(&fixture, &client);
    client_close(&client);
    fixture_turn(&fixture);
    assert_false(is_connected());
}

static void events_come_as_they_happen(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 0x5f));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    assert_true(worker_message(&fixture, 1, 0x5f, "temp=21.5", 9));
    assert_true(worker_message(&fixture, 1, 0x5f, "temp=21.6", 9));
    client_expect_event(&fixture, &client, "message", 2, 1, "temp=21.5");
    client_expect_event(&fixture, &client, "message", 3, 1, "temp=21.6");
    worker_disconnected(&fixture, 1, 0x5f, SEAM_BYE);
    client_expect(&fixture, &client,
                  "{\"type\":\"disconnected\",\"id\":4,\"time\":\"2026-11-21T09:00:00.000000Z\","
                  "\"device\":\"de:ad:be:ef:00:01\",\"session\":\"5f000000000000000000000000000000\",\"reason\":"
                  "\"bye\"}");
    client_expect_nothing(&fixture, &client);
}

static void a_second_connection_is_told_and_closed(void **state)
{
    (void)state;
    struct client second;
    client_connect(&fixture, &second, 0);
    client_expect_error(&fixture, &second, NULL, "in_use");
    client_expect_end(&fixture, &second);
    client_close(&second);

    assert_true(worker_connected(&fixture, 1, 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    client_expect_nothing(&fixture, &client);
}

static void many_second_connections_are_all_told(void **state)
{
    (void)state;
    struct client others[12];
    for (size_t i = 0; i < 12; i++)
        client_connect(&fixture, &others[i], 0);
    for (size_t i = 0; i < 12; i++) {
        client_expect_error(&fixture, &others[i], NULL, "in_use");
        client_close(&others[i]);
    }
    assert_true(is_connected());
}

static void a_restarted_backend_is_no_second_one(void **state)
{
    (void)state;
    /* The loop hears of the new one first: by then the old one has gone. */
    struct client restarted = {.descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    connect_client(&restarted);
    restarted.buffer = malloc(FIXTURE_CLIENT_BUFFER + 1);
    assert_non_null(restarted.buffer);
    client_close(&client);
    client = restarted;
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
}

static void a_backend_may_stop_writing_and_read_on(void **state)
{
    (void)state;
    assert_int_equal(shutdown(client.descriptor, SHUT_WR), 0);
    fixture_turn(&fixture);
    assert_true(is_connected());
    assert_true(worker_connected(&fixture, 1, 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);

    /* And when it goes in the end, that is noticed without anything being written. */
    client_close(&client);
    fixture_turn(&fixture);
    assert_false(is_connected());
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
}

static void a_loop_with_a_half_closed_backend_sleeps(void **state)
{
    (void)state;
    assert_int_equal(shutdown(client.descriptor, SHUT_WR), 0);
    fixture_turn(&fixture);
    fixture_turn(&fixture);
    /* Nothing is pending for the loop: that the reading side is at its end does not wake it again and again. */
    struct pollfd loop = {.fd = uv_backend_fd(&fixture.loop), .events = POLLIN};
    assert_int_equal(poll(&loop, 1, 0), 0);
}

static void a_last_line_without_its_end_counts(void **state)
{
    (void)state;
    client_write(&fixture, &client, "{\"op\":\"list\",\"ref\":\"a\"}\n{\"op\":\"list\",\"ref\":\"b\"}");
    client_expect(&fixture, &client, "{\"type\":\"listed\",\"ref\":\"a\",\"count\":0}");
    client_expect_nothing(&fixture, &client);
    assert_int_equal(shutdown(client.descriptor, SHUT_WR), 0);
    client_expect(&fixture, &client, "{\"type\":\"listed\",\"ref\":\"b\",\"count\":0}");
    client_expect_nothing(&fixture, &client);
}

static void what_a_backend_asked_before_it_went_is_done(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    static const char COMMANDS[] = "{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:01\",\"text\":\"one\",\"ref\":\"a\"}\n"
                                   "{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:01\",\"text\":\"two\",\"ref\":\"b\"}\n"
                                   "nonsense\n{\"op\":\"list\"}\n{\"op\":\"send\",\"dev";
    assert_int_equal(send(client.descriptor, COMMANDS, sizeof COMMANDS - 1, 0), sizeof COMMANDS - 1);
    client_close(&client);
    /* Writing to it comes first, and fails. */
    assert_true(worker_message(&fixture, 1, 1, "x", 1));
    assert_false(is_connected());

    struct seam_command *command = worker_command(&fixture);
    assert_non_null(command);
    assert_memory_equal(command->payload, "one", 3);
    assert_non_null(command->next);
    assert_memory_equal(command->next->payload, "two", 3);
    assert_null(command->next->next);

    /* Whoever comes next does not get the answers. */
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    worker_finish(&fixture, SEAM_SENT_BY_DEVICE);
    worker_finish(&fixture, SEAM_UNCONFIRMED);
    client_expect_event(&fixture, &client, "message", 2, 1, "x");
    client_expect_nothing(&fixture, &client);
}

/* A stream of messages "m2", "m3" … is cut after each number of bytes in turn, and goes on with another connection. */
static void a_half_written_line_is_written_whole_on_the_next_connection(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    json_int_t next_id = 2;
    json_int_t written = 2;
    for (size_t cut = 1; cut < 600; cut += 7) {
        kernel_takes = cut;
        for (; written < next_id + 5; written++) {
            char text[16];
            int size = snprintf(text, sizeof text, "m%d", (int)written);
            assert_true(worker_message(&fixture, 1, 1, text, (size_t)size));
        }
        fixture_turn(&fixture);
        assert_int_equal(kernel_takes, 0);
        (void)client_read(&client, FIXTURE_CLIENT_BUFFER);
        assert_int_equal(client.end - client.start, cut);
        for (const char *line = client_line(&fixture, &client); line != NULL; line = client_line(&fixture, &client))
            next_id++;
        assert_int_equal(hub_backend_counters(fixture.hub, 0)->queue_messages, written - next_id);
        client_close(&client);
        fixture_turn(&fixture);
        kernel_takes = SIZE_MAX;

        client_connect(&fixture, &client, 0);
        json_t *hello = client_object(&fixture, &client, "hello");
        assert_int_equal(json_integer_value(json_object_get(hello, "next_id")), next_id);
        json_decref(hello);
        for (; next_id < written; next_id++) {
            char text[16];
            assert_true(snprintf(text, sizeof text, "m%d", (int)next_id) > 0);
            client_expect_event(&fixture, &client, "message", next_id, 1, text);
        }
        client_expect_nothing(&fixture, &client);
    }
}

static void a_line_of_events_is_never_torn_by_answers(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    size_t events = 1;
    size_t lists = 0;
    kernel_takes = 1;
    for (int i = 0; i < 20; i++) {
        assert_true(worker_message(&fixture, 1, 1, "some text", 9));
        events++;
        client_write(&fixture, &client, "{\"op\":\"list\",\"ref\":\"a\"}\nnonsense\n");
        kernel_takes = 37;
    }
    json_int_t id = 0;
    for (;;) {
        fixture_turn(&fixture);
        if (kernel_takes == 0)
            kernel_takes = 41;
        if (client_read(&client, FIXTURE_CLIENT_BUFFER) == 0)
            break;
    }
    for (char *line = client_line(&fixture, &client); line != NULL; line = client_line(&fixture, &client)) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        const char *type = json_string_value(json_object_get(object, "type"));
        const json_t *event_id = json_object_get(object, "id");
        if (event_id != NULL)
            assert_int_equal(json_integer_value(event_id), ++id);
        lists += strcmp(type, "listed") == 0;
        json_decref(object);
    }
    assert_int_equal(id, events);
    assert_in_range(lists, 16, 20);
}

static void a_flood_of_commands_without_reading_answers_is_stopped(void **state)
{
    (void)state;
    static const char LINE[] = "this is no command\n";
    size_t written = 0;
    unsigned refusals = 0;
    while (refusals < 3) {
        ssize_t sent = send(client.descriptor, LINE + written % (sizeof LINE - 1),
                            sizeof LINE - 1 - written % (sizeof LINE - 1), MSG_NOSIGNAL);
        refusals = sent > 0 ? 0 : refusals + 1;
        written += sent > 0 ? (size_t)sent : 0;
        fixture_turn(&fixture);
        assert_in_range(written, 0, 4u << 20); /* what two sockets and the hub hold, many times over */
    }
    /* The traffic goes on as far as it can, and no answer is lost. */
    assert_true(worker_connected(&fixture, 1, 1));
    size_t answers = 0;
    size_t events = 0;
    for (const char *line = client_line(&fixture, &client); line != NULL; line = client_line(&fixture, &client)) {
        events += strstr(line, "\"connected\"") != NULL;
        answers += strstr(line, "\"bad_request\"") != NULL;
    }
    assert_int_equal(events, 1);
    assert_int_equal(answers, written / (sizeof LINE - 1));
}

static void malformed_lines_cost_nothing_else(void **state)
{
    (void)state;
    client_write(&fixture, &client,
                 "\n\r\n{\"op\":\"list\",\"ref\":\"a\"}\r\nnonsense\n{\"op\":\"list\",\"ref\":\"b\"}\n");
    /* Answers to lists wait for events, other answers do not wait for them. */
    for (unsigned mistakes = 0; mistakes < 3; mistakes++)
        client_expect_error(&fixture, &client, NULL, "bad_request");
    client_expect(&fixture, &client, "{\"type\":\"listed\",\"ref\":\"a\",\"count\":0}");
    client_expect(&fixture, &client, "{\"type\":\"listed\",\"ref\":\"b\",\"count\":0}");

    char *line = malloc(100001);
    assert_non_null(line);
    memset(line, '[', 100000);
    line[100000] = '\0';
    client_write(&fixture, &client, line);
    free(line);
    client_expect_error(&fixture, &client, NULL, "bad_request");
    client_write(&fixture, &client, "]\n{\"op\":\"list\",\"ref\":\"c\"}\n");
    client_expect(&fixture, &client, "{\"type\":\"listed\",\"ref\":\"c\",\"count\":0}");

    assert_true(worker_connected(&fixture, 1, 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    client_expect_nothing(&fixture, &client);
}

static void without_descriptors_it_tries_again(void **state)
{
    (void)state;
    accept_error = EMFILE;
    client_connect(&fixture, &client, 0);
    assert_int_equal(accept_error, 0);
    assert_false(is_connected());
    while (!is_connected())
        (void)uv_run(&fixture.loop, UV_RUN_ONCE);
    client_skip_hello(&fixture, &client);
    client_close(&client);
}

static void an_aborted_connection_is_passed_over(void **state)
{
    (void)state;
    accept_error = ECONNABORTED;
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    client_close(&client);
}

static void without_memory_a_connection_is_closed(void **state)
{
    (void)state;
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    client_close(&client);
    fixture_turn(&fixture);

    struct client refused = {.descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    connect_client(&refused);
    memory_is_short = true;
    fixture_turn(&fixture);
    memory_is_short = false;
    char byte;
    assert_int_equal(recv(refused.descriptor, &byte, 1, 0), 0);
    close(refused.descriptor);
    assert_int_equal(fixture_logged(&fixture, "memory is short, a connection is refused"), 1);

    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    client_close(&client);
}

static void without_memory_for_an_answer_the_connection_ends(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    /* Enough that the answers need another piece of memory. */
    static char lines[16384];
    size_t size = 0;
    while (size + 9 < sizeof lines)
        size += (size_t)snprintf(lines + size, sizeof lines - size, "nonsense\n");
    assert_int_equal(send(client.descriptor, lines, size, MSG_NOSIGNAL), size);
    memory_is_short = true;
    fixture_turn(&fixture);
    memory_is_short = false;
    assert_false(is_connected());
    client_close(&client);

    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    assert_true(worker_message(&fixture, 1, 1, "y", 1));
    client_expect_event(&fixture, &client, "message", 2, 1, "y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backend_is_greeted_first, setup, teardown),
        cmocka_unit_test_setup_teardown(events_come_as_they_happen, setup_connected, teardown_connected),
        cmocka_unit_test_setup_teardown(a_second_connection_is_told_and_closed, setup_connected, teardown_connected),
        cmocka_unit_test_setup_teardown(many_second_connections_are_all_told, setup_connected, teardown_connected),
        cmocka_unit_test_setup_teardown(a_restarted_backend_is_no_second_one, setup_connected, teardown_connected),
        cmocka_unit_test_setup_teardown(a_backend_may_stop_writing_and_read_on, setup_connected, teardown_connected),
        cmocka_unit_test_setup_teardown(a_loop_with_a_half_closed_backend_sleeps, setup_connected, teardown_connected),
        cmocka_unit_test_setup_teardown(a_last_line_without_its_end_counts, setup_connected, teardown_connected),
        cmocka_unit_test_setup_teardown(what_a_backend_asked_before_it_went_is_done, setup_connected,
                                        teardown_connected),
        cmocka_unit_test_setup_teardown(a_half_written_line_is_written_whole_on_the_next_connection, setup_connected,
                                        teardown_connected),
        cmocka_unit_test_setup_teardown(a_line_of_events_is_never_torn_by_answers, setup_connected, teardown_connected),
        cmocka_unit_test_setup_teardown(a_flood_of_commands_without_reading_answers_is_stopped, setup_connected,
                                        teardown_connected),
        cmocka_unit_test_setup_teardown(malformed_lines_cost_nothing_else, setup_connected, teardown_connected),
        cmocka_unit_test_setup_teardown(without_descriptors_it_tries_again, setup, teardown),
        cmocka_unit_test_setup_teardown(an_aborted_connection_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory_a_connection_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory_for_an_answer_the_connection_ends, setup_connected,
                                        teardown_connected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
