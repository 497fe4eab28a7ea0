#include "delivery/hub_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "delivery/backend.h"
#include "delivery/hub_state.h"

static size_t allocations_refused;
static bool socket_is_full;

ssize_t __real_send(int descriptor, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int descriptor, const void *bytes, size_t size, int flags);

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

ssize_t __wrap_send(int descriptor, const void *bytes, size_t size, int flags)
{
    if (!socket_is_full)
        return __real_send(descriptor, bytes, size, flags);
    errno = EAGAIN;
    return -1;
}

void *__wrap_malloc(size_t size)
{
    if (allocations_refused > 0) {
        allocations_refused--;
        return NULL;
    }
    return __real_malloc(size);
}

static struct hub_fixture fixture;
static struct client client;

static void drop_oldest(struct hub_fixture *prepared)
{
    for (size_t i = 0; i < prepared->backends.count; i++)
        prepared->items[i].when_full = CONFIG_WHEN_FULL_DROP_OLDEST;
}

static int setup_block(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, NULL);
    return 0;
}

static int setup_drop_oldest(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, drop_oldest);
    return 0;
}

static void payload_base64(struct hub_fixture *prepared)
{
    prepared->items[0].payload = CONFIG_PAYLOAD_BASE64;
}

static int setup_binary(void **state)
{
    (void)state;
    fixture_open(&fixture, 1, payload_base64);
    return 0;
}

static int setup_two(void **state)
{
    (void)state;
    fixture_open(&fixture, 2, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    allocations_refused = 0;
    fixture_close(&fixture);
    return 0;
}

static const struct hub_counters *counters(size_t backend)
{
    return hub_backend_counters(fixture.hub, backend);
}

/* Message n has the text "n" and is filled up to `size`. */
static bool send_number(unsigned number, size_t size)
{
    char text[SEAM_PAYLOAD_MAX + 1];
    memset(text, '.', sizeof text);
    int length = snprintf(text, sizeof text, "%u", number);
    text[length] = '.';
    return worker_message(&fixture, 1, 1, text, size);
}

static unsigned number_of(const json_t *message)
{
    return (unsigned)strtoul(json_string_value(json_object_get(message, "text")), NULL, 10);
}

static void block_accepts_until_the_queue_is_full_and_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(fixture.credit.bytes[0], 65536);
    assert_true(worker_connected(&fixture, 1, 1));
    unsigned accepted = 0;
    while (send_number(accepted, 100))
        accepted++;
    assert_int_equal(accepted, (65536 - 512) / 356);
    assert_int_equal(counters(0)->queue_messages, accepted + 1);
    assert_int_equal(counters(0)->queue_bytes, 256 + 356 * accepted);
    assert_int_equal(fixture_logged(&fixture, "queue full, devices have to wait"), 1);

    /* The end of a session has its place even now. */
    worker_disconnected(&fixture, 1, 1, SEAM_PEER);
    assert_false(worker_connected(&fixture, 2, 2));

    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    for (unsigned number = 0; number < accepted; number++) {
        json_t *message = client_object(&fixture, &client, "message");
        assert_int_equal(json_integer_value(json_object_get(message, "id")), number + 2);
        assert_int_equal(number_of(message), number);
        json_decref(message);
    }
    client_expect_event(&fixture, &client, "disconnected", accepted + 2, 1, NULL);
    client_expect_nothing(&fixture, &client);

    assert_int_equal(fixture.credit.bytes[0], 65536);
    assert_int_equal(counters(0)->queue_messages, 0);
    assert_int_equal(counters(0)->queue_bytes, 0);
    assert_int_equal(counters(0)->written, accepted + 2);
    assert_int_equal(counters(0)->lost, 0);
    assert_int_equal(fixture_logged(&fixture, "queue has room again"), 1);
    client_close(&client);
}

static void a_slow_reader_holds_the_devices_back(void **state)
{
    (void)state;
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    unsigned accepted = 0;
    while (send_number(accepted, 1000))
        accepted++;
    /* What the socket holds is done with; the queue is full. */
    assert_true(counters(0)->written > 0);
    assert_true(fixture.credit.bytes[0] < 1256);

    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    for (unsigned number = 0; number < accepted; number++) {
        json_t *message = client_object(&fixture, &client, "message");
        assert_int_equal(number_of(message), number);
        json_decref(message);
    }
    client_expect_nothing(&fixture, &client);
    assert_int_equal(fixture.credit.bytes[0], 65536 - 256);
    client_close(&client);
}

static void drop_oldest_keeps_the_newest_and_says_what_is_lost(void **state)
{
    (void)state;
    assert_int_equal(fixture.credit.bytes[0], 16384);
    assert_true(worker_connected(&fixture, 1, 1));
    for (unsigned number = 2; number <= 1000; number++)
        assert_true(send_number(number, 100));
    assert_in_range(counters(0)->queue_bytes, 65536 - 16384 - 356, 65536);
    uint64_t lost = counters(0)->lost;
    assert_int_equal(lost + counters(0)->queue_messages, 1000);
    assert_int_equal(fixture_logged(&fixture, "queue full, the oldest events are dropped"), 1);

    client_connect(&fixture, &client, 0);
    json_t *hello = client_object(&fixture, &client, "hello");
    assert_int_equal(json_integer_value(json_object_get(hello, "next_id")), 1);
    json_decref(hello);
    json_t *told = client_object(&fixture, &client, "lost");
    assert_int_equal(json_integer_value(json_object_get(told, "count")), lost);
    assert_int_equal(json_integer_value(json_object_get(told, "first")), 1);
    assert_int_equal(json_integer_value(json_object_get(told, "last")), lost);
    assert_int_equal(json_integer_value(json_object_get(told, "id")), lost + 1);
    json_decref(told);
    for (unsigned number = (unsigned)lost + 1; number <= 1000; number++) {
        json_t *message = client_object(&fixture, &client, "message");
        assert_int_equal(number_of(message), number);
        assert_int_equal(json_integer_value(json_object_get(message, "id")), number + 1);
        json_decref(message);
    }
    client_expect_nothing(&fixture, &client);
    assert_int_equal(fixture_logged(&fixture, "queue has room again"), 1);
    client_close(&client);
}

static void drop_oldest_refuses_no_session(void **state)
{
    (void)state;
    for (unsigned session = 0; session < 600; session++) {
        assert_true(worker_connected(&fixture, (uint8_t)session, 1));
        if (session % 2 == 0)
            worker_disconnected(&fixture, (uint8_t)session, 1, SEAM_BYE);
    }
    assert_in_range(counters(0)->queue_bytes, 0, 65536);
}

static void drop_oldest_never_drops_what_is_being_written(void **state)
{
    (void)state;
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    for (unsigned number = 2; number <= 3000; number++)
        assert_true(send_number(number, 1000));
    assert_true(counters(0)->lost > 0);

    /* Everything is either there or told of, in order of the ids. */
    json_int_t id = 0;
    unsigned next = 2;
    json_decref(client_object(&fixture, &client, "connected"));
    id++;
    for (char *line = client_line(&fixture, &client); line != NULL; line = client_line(&fixture, &client)) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        json_int_t event_id = json_integer_value(json_object_get(object, "id"));
        json_int_t count = json_integer_value(json_object_get(object, "count"));
        if (count > 0) {
            assert_int_equal(json_integer_value(json_object_get(object, "first")), id + 1);
            id += count;
            next += (unsigned)count;
        } else {
            assert_int_equal(number_of(object), next++);
        }
        assert_int_equal(event_id, ++id);
        json_decref(object);
    }
    assert_int_equal(next, 3001);
    client_close(&client);
}

/* What is encoded cannot be dropped any more, so it must not be all there is. */
static void while_a_reader_stalls_the_newest_events_are_kept(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    for (unsigned number = 2; number <= 100; number++)
        assert_true(send_number(number, 1000));
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    while (client_line(&fixture, &client) != NULL) {
    }
    socket_is_full = true;
    for (unsigned number = 101; number <= 1000; number++)
        assert_true(send_number(number, 1000));
    client_close(&client);
    fixture_turn(&fixture);
    client_connect(&fixture, &client, 0); /* all that waited is encoded now, as far as it may */
    for (unsigned number = 1001; number <= 2000; number++)
        assert_true(send_number(number, 1000));
    socket_is_full = false;

    unsigned last = 0;
    unsigned newest = 0;
    for (char *line = client_line(&fixture, &client); line != NULL; line = client_line(&fixture, &client)) {
        json_t *object = json_loads(line, 0, NULL);
        if (strcmp(json_string_value(json_object_get(object, "type")), "message") == 0) {
            last = number_of(object);
            newest += last > 1950;
        }
        json_decref(object);
    }
    assert_int_equal(last, 2000);
    assert_in_range(newest, 65536 / 2 / 1256 - 1, 50);
    client_close(&client);
}

static void events_go_to_every_backend_of_their_device(void **state)
{
    (void)state;
    struct client pumps;
    client_connect(&fixture, &client, 0);
    client_connect(&fixture, &pumps, 1);
    client_skip_hello(&fixture, &client);
    client_skip_hello(&fixture, &pumps);
    assert_true(worker_connected(&fixture, 0x10, 1));
    assert_true(worker_connected(&fixture, 0x01, 1));
    client_expect_event(&fixture, &client, "connected", 1, 0x10, NULL);
    client_expect_event(&fixture, &client, "connected", 2, 0x01, NULL);
    client_expect_event(&fixture, &pumps, "connected", 1, 0x01, NULL);
    client_expect_nothing(&fixture, &pumps);
    client_close(&client);
    client_close(&pumps);
}

static void one_full_queue_holds_back_the_devices_of_that_backend_only(void **state)
{
    (void)state;
    client_connect(&fixture, &client, 0);
    assert_true(worker_connected(&fixture, 0x01, 1));
    assert_true(worker_connected(&fixture, 0x10, 1));
    unsigned accepted = 0;
    while (worker_message(&fixture, 0x01, 1, "x", 1)) {
        fixture_turn(&fixture);
        (void)client_read(&client, FIXTURE_CLIENT_BUFFER);
        accepted++;
    }
    assert_int_equal(accepted, (65536 - 512) / 257);
    assert_true(worker_message(&fixture, 0x10, 1, "x", 1));
    assert_int_equal(counters(0)->queue_messages, 0);
    assert_int_equal(counters(1)->queue_messages, accepted + 1);
    client_close(&client);
}

static void a_binary_fleet_gets_base64(void **state)
{
    (void)state;
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    json_decref(client_object(&fixture, &client, "connected"));
    assert_true(worker_message(&fixture, 1, 1, "text", 4));
    json_t *message = client_object(&fixture, &client, "message");
    assert_null(json_object_get(message, "text"));
    assert_string_equal(json_string_value(json_object_get(message, "base64")), "dGV4dA==");
    json_decref(message);
    client_close(&client);
}

static void an_event_without_memory_is_told_as_lost(void **state)
{
    (void)state;
    assert_true(worker_connected(&fixture, 1, 1));
    unsigned number = 2;
    while (counters(0)->lost == 0) {
        /* The queue's chunks are 8 KiB: soon one is needed. */
        allocations_refused = 1;
        assert_true(send_number(number++, 1000));
        allocations_refused = 0;
    }
    assert_true(send_number(number, 1000));
    assert_int_equal(fixture_logged(&fixture, "memory is short, an event is lost"), 1);

    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    client_expect_event(&fixture, &client, "connected", 1, 1, NULL);
    for (unsigned kept = 2; kept < number - 1; kept++)
        client_expect_event(&fixture, &client, "message", kept, 1, NULL);
    json_t *lost = client_object(&fixture, &client, "lost");
    assert_int_equal(json_integer_value(json_object_get(lost, "id")), number);
    assert_int_equal(json_integer_value(json_object_get(lost, "count")), 1);
    assert_int_equal(json_integer_value(json_object_get(lost, "first")), number - 1);
    json_decref(lost);
    client_expect_event(&fixture, &client, "message", number + 1, 1, NULL);
    client_expect_nothing(&fixture, &client);
    /* Its credit came back, whatever became of it. */
    assert_int_equal(fixture.credit.bytes[0], 65536 - 256);
    client_close(&client);
}

struct reader {
    bool connected;
    bool greeted;
    json_int_t next_id; /* that has to come */
    unsigned next_number;
    uint64_t told_lost;
};

static void read_line(struct reader *reader, const char *line, bool after_reconnect)
{
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    if (object == NULL)
        fail_msg("torn: %s", line);
    const char *type = json_string_value(json_object_get(object, "type"));
    json_int_t id = json_integer_value(json_object_get(object, "id"));
    if (strcmp(type, "hello") == 0) {
        json_int_t next_id = json_integer_value(json_object_get(object, "next_id"));
        /* What lay in the old connection is gone; nothing comes twice. */
        assert_true(next_id >= reader->next_id);
        reader->next_number += (unsigned)(next_id - reader->next_id);
        reader->next_id = next_id;
        reader->greeted = true;
    } else if (strcmp(type, "lost") == 0) {
        json_int_t count = json_integer_value(json_object_get(object, "count"));
        assert_int_equal(json_integer_value(json_object_get(object, "first")), reader->next_id);
        assert_int_equal(id, reader->next_id + count);
        reader->next_id = id + 1;
        reader->next_number += (unsigned)count;
        reader->told_lost += (uint64_t)count;
    } else {
        assert_string_equal(type, "message");
        assert_int_equal(id, reader->next_id);
        /* `lost` lines that went with an old connection count as numbers too many. */
        if (after_reconnect)
            assert_true(number_of(object) <= reader->next_number);
        else
            assert_int_equal(number_of(object), reader->next_number);
        reader->next_number = number_of(object) + 1;
        reader->next_id++;
    }
    json_decref(object);
}

/* Random messages, reads of random sizes, connections that end anywhere. */
static void stream_survives_anything(uint64_t seed)
{
    struct reader reader = {.next_id = 2, .next_number = 0};
    uint64_t random = seed;
    unsigned sent = 0;
    bool after_reconnect = false;
    client_connect(&fixture, &client, 0);
    client_skip_hello(&fixture, &client);
    assert_true(worker_connected(&fixture, 1, 1));
    json_decref(client_object(&fixture, &client, "connected"));
    reader.connected = true;
    reader.greeted = true;
    for (int step = 0; step < 20000; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        unsigned choice = (unsigned)(random >> 58);
        if (choice < 58) {
            size_t size = (size_t)(random >> 30) % 1790 + 16;
            sent += send_number(sent, size);
        } else if (choice < 63) {
            if (!reader.connected) {
                client_connect(&fixture, &client, 0);
                reader.connected = true;
                reader.greeted = false;
                after_reconnect = true;
            }
            fixture_turn(&fixture);
            (void)client_read(&client, (size_t)(random >> 20) % 9000);
            for (;;) {
                char *begin = client.buffer + client.start;
                char *end = memchr(begin, '\n', client.end - client.start);
                if (end == NULL)
                    break;
                *end = '\0';
                client.start = (size_t)(end - client.buffer) + 1;
                bool was_greeted = reader.greeted;
                read_line(&reader, begin, after_reconnect);
                if (was_greeted && strstr(begin, "\"message\"") != NULL)
                    after_reconnect = false;
            }
        } else if (reader.connected) {
            client_close(&client);
            reader.connected = false;
            fixture_turn(&fixture);
        }
    }
    if (reader.connected)
        client_close(&client);
    assert_true(sent > 1000);
}

static void block_streams_survive_anything(void **state)
{
    (void)state;
    stream_survives_anything(1);
    assert_int_equal(counters(0)->lost, 0);
}

static void drop_oldest_streams_survive_anything(void **state)
{
    (void)state;
    stream_survives_anything(2);
    assert_true(counters(0)->lost > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(block_accepts_until_the_queue_is_full_and_loses_nothing, setup_block, teardown),
        cmocka_unit_test_setup_teardown(a_slow_reader_holds_the_devices_back, setup_block, teardown),
        cmocka_unit_test_setup_teardown(drop_oldest_keeps_the_newest_and_says_what_is_lost, setup_drop_oldest,
                                        teardown),
        cmocka_unit_test_setup_teardown(drop_oldest_refuses_no_session, setup_drop_oldest, teardown),
        cmocka_unit_test_setup_teardown(drop_oldest_never_drops_what_is_being_written, setup_drop_oldest, teardown),
        cmocka_unit_test_setup_teardown(while_a_reader_stalls_the_newest_events_are_kept, setup_drop_oldest, teardown),
        cmocka_unit_test_setup_teardown(events_go_to_every_backend_of_their_device, setup_two, teardown),
        cmocka_unit_test_setup_teardown(one_full_queue_holds_back_the_devices_of_that_backend_only, setup_two,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_binary_fleet_gets_base64, setup_binary, teardown),
        cmocka_unit_test_setup_teardown(an_event_without_memory_is_told_as_lost, setup_block, teardown),
        cmocka_unit_test_setup_teardown(block_streams_survive_anything, setup_block, teardown),
        cmocka_unit_test_setup_teardown(drop_oldest_streams_survive_anything, setup_drop_oldest, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
