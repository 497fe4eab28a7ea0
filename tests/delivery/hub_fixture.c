#include "delivery/hub_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "delivery/hub_state.h"
#include "platform/log.h"

static void on_wake(void *context)
{
    struct hub_fixture *fixture = context;
    fixture->wakes++;
}

static void keep_message(void *context, const struct log_record *record)
{
    struct hub_fixture *fixture = context;
    assert_true(fixture->logged < FIXTURE_LOG_MAX);
    (void)strncat(fixture->log[fixture->logged++], record->message, sizeof fixture->log[0] - 1);
}

size_t fixture_logged(const struct hub_fixture *fixture, const char *beginning)
{
    size_t count = 0;
    for (size_t i = 0; i < fixture->logged; i++)
        count += strncmp(fixture->log[i], beginning, strlen(beginning)) == 0;
    return count;
}

void fixture_prepare(struct hub_fixture *fixture, size_t backends)
{
    memset(fixture, 0, sizeof *fixture);
    log_divert(keep_message, fixture);
    strcpy(fixture->folder, "/tmp/usmpd-hub-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    static const char *const NAMES[FIXTURE_BACKENDS] = {"default", "pumps"};
    static const char *const PATTERNS[FIXTURE_BACKENDS] = {"*", "de:ad:be:ef:00:0*"};
    for (size_t i = 0; i < backends; i++) {
        assert_true(snprintf(fixture->paths[i], sizeof fixture->paths[i], "%s/%s", fixture->folder, NAMES[i]) > 0);
        assert_true(config_pattern_parse(PATTERNS[i], &fixture->patterns[i]));
        fixture->items[i] = (struct config_backend){
            .name = NAMES[i],
            .socket = fixture->paths[i],
            .mode = 0600,
            .group = "",
            .queue = 65536,
            .when_full = CONFIG_WHEN_FULL_BLOCK,
            .devices = {.items = &fixture->patterns[i], .count = 1},
            .commands = true,
        };
    }
    fixture->backends = (struct config_backends){.items = fixture->items, .count = backends};
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    seam_inbox_open(&fixture->inbox, on_wake, fixture);
    seam_outbox_open(&fixture->outbox);
}

void fixture_open(struct hub_fixture *fixture, size_t backends, void (*prepare)(struct hub_fixture *fixture))
{
    fixture_prepare(fixture, backends);
    if (prepare != NULL)
        prepare(fixture);
    struct error_text error;
    const struct hub_settings settings = {.backends = &fixture->backends, .workers = 1, .version = "0.1.0"};
    fixture->hub = hub_open(&fixture->loop, &settings, &error);
    assert_non_null(fixture->hub);
    hub_attach(fixture->hub, &fixture->inbox);
    fixture_turn(fixture);
}

void fixture_remove(struct hub_fixture *fixture)
{
    seam_outbox_close(&fixture->outbox);
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    /* The hub has left nothing behind. */
    assert_int_equal(rmdir(fixture->folder), 0);
    log_divert(NULL, NULL);
}

void fixture_close(struct hub_fixture *fixture)
{
    hub_close(fixture->hub);
    fixture_remove(fixture);
}

/* The worker takes what the hub has for it. */
static void empty_inbox(struct hub_fixture *fixture)
{
    struct seam_credit credit;
    bool credited;
    const struct seam_denied *denied = seam_inbox_take_denied(&fixture->inbox);
    if (denied != NULL)
        fixture->denied = *denied;
    struct seam_command **end = &fixture->commands;
    while (*end != NULL)
        end = &(*end)->next;
    *end = seam_inbox_take(&fixture->inbox, &credit, &credited);
    for (size_t i = 0; i < SEAM_BACKENDS_MAX; i++)
        fixture->credit.bytes[i] += credit.bytes[i];
}

void fixture_turn(struct hub_fixture *fixture)
{
    for (int i = 0; i < 4; i++)
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
    empty_inbox(fixture);
    hub_check(fixture->hub);
}

uint32_t worker_backends_of(const struct hub_fixture *fixture, uint8_t device)
{
    const uint8_t id[6] = {0xde, 0xad, 0xbe, 0xef, 0x00, device};
    uint32_t backends = 0;
    for (size_t i = 0; i < fixture->backends.count; i++)
        backends |= (uint32_t)config_backend_serves(&fixture->items[i], id) << i;
    return backends;
}

static struct seam_event event_of(const struct hub_fixture *fixture, enum seam_event_kind kind, uint8_t device,
                                  uint8_t session)
{
    return (struct seam_event){
        .kind = kind,
        .transport = SEAM_UDP,
        .wire = 2,
        .peer = {.bytes = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 7}, .port = 50123},
        .backends = worker_backends_of(fixture, device),
        .time = INT64_C(1795251600000000),
        .device = {0xde, 0xad, 0xbe, 0xef, 0x00, device},
        .session = {session},
    };
}

static bool is_denied(const struct hub_fixture *fixture, const struct seam_event *event)
{
    if (event->kind != SEAM_MESSAGE)
        return false;
    SEAM_BACKENDS_EACH(index, event->backends) {
        if (seam_denied_contains(&fixture->denied.lists[index], event->device))
            return true;
    }
    return false;
}

bool worker_append(struct hub_fixture *fixture, const struct seam_event *event, const void *payload)
{
    uint64_t cost = event->kind == SEAM_DISCONNECTED ? 0 : seam_event_cost(event->size);
    if (event->kind == SEAM_CONNECTED)
        cost += seam_event_cost(0);
    if (is_denied(fixture, event) || !seam_credit_take(&fixture->credit, event->backends, cost))
        return false;
    assert_true(seam_outbox_append(&fixture->outbox, event, payload));
    return true;
}

void worker_turn(struct hub_fixture *fixture)
{
    hub_receive(fixture->hub, &fixture->inbox, &fixture->outbox);
    assert_true(seam_outbox_is_empty(&fixture->outbox));
    empty_inbox(fixture);
    hub_check(fixture->hub);
}

bool worker_connected(struct hub_fixture *fixture, uint8_t device, uint8_t session)
{
    struct seam_event event = event_of(fixture, SEAM_CONNECTED, device, session);
    bool accepted = worker_append(fixture, &event, NULL);
    worker_turn(fixture);
    return accepted;
}

bool worker_message(struct hub_fixture *fixture, uint8_t device, uint8_t session, const void *payload, size_t size)
{
    struct seam_event event = event_of(fixture, SEAM_MESSAGE, device, session);
    event.size = (uint16_t)size;
    bool accepted = worker_append(fixture, &event, payload);
    worker_turn(fixture);
    return accepted;
}

void worker_disconnected(struct hub_fixture *fixture, uint8_t device, uint8_t session, enum seam_reason reason)
{
    struct seam_event event = event_of(fixture, SEAM_DISCONNECTED, device, session);
    event.reason = reason;
    assert_true(worker_append(fixture, &event, NULL));
    worker_turn(fixture);
}

struct seam_command *worker_command(struct hub_fixture *fixture)
{
    fixture_turn(fixture);
    return fixture->commands;
}

void worker_finish(struct hub_fixture *fixture, enum seam_outcome outcome)
{
    struct seam_command *command = fixture->commands;
    assert_non_null(command);
    fixture->commands = command->next;
    seam_outbox_finish(&fixture->outbox, command, outcome);
    worker_turn(fixture);
}

void client_connect(struct hub_fixture *fixture, struct client *client, size_t backend)
{
    *client = (struct client){.descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    assert_true(client->descriptor >= 0);
    client->buffer = malloc(FIXTURE_CLIENT_BUFFER + 1);
    assert_non_null(client->buffer);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, fixture->paths[backend]);
    assert_int_equal(connect(client->descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    fixture_turn(fixture);
}

void client_close(struct client *client)
{
    close(client->descriptor);
    free(client->buffer);
    client->buffer = NULL;
}

void client_write(struct hub_fixture *fixture, struct client *client, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t written = send(client->descriptor, text, left, MSG_NOSIGNAL);
        if (written < 0 && errno == EAGAIN) {
            fixture_turn(fixture);
            continue;
        }
        assert_true(written > 0);
        text += written;
        left -= (size_t)written;
    }
    fixture_turn(fixture);
}

size_t client_read(struct client *client, size_t size)
{
    if (client->start > 0) {
        memmove(client->buffer, client->buffer + client->start, client->end - client->start);
        client->end -= client->start;
        client->start = 0;
    }
    size_t before = client->end;
    while (client->end - before < size && client->end < FIXTURE_CLIENT_BUFFER) {
        size_t room = FIXTURE_CLIENT_BUFFER - client->end;
        size_t wanted = size - (client->end - before);
        ssize_t received = recv(client->descriptor, client->buffer + client->end, wanted < room ? wanted : room, 0);
        if (received > 0) {
            client->end += (size_t)received;
            continue;
        }
        client->ended = received == 0 || errno != EAGAIN;
        break;
    }
    return client->end - before;
}

char *client_line(struct hub_fixture *fixture, struct client *client)
{
    for (;;) {
        char *begin = client->buffer + client->start;
        char *end = memchr(begin, '\n', client->end - client->start);
        if (end != NULL) {
            *end = '\0';
            client->start = (size_t)(end - client->buffer) + 1;
            return begin;
        }
        fixture_turn(fixture);
        if (client_read(client, FIXTURE_CLIENT_BUFFER) == 0)
            return NULL;
    }
}

json_t *client_object(struct hub_fixture *fixture, struct client *client, const char *type)
{
    const char *line = client_line(fixture, client);
    if (line == NULL)
        fail_msg("no line where %s was expected", type);
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (object == NULL)
        fail_msg("not JSON: %s", line);
    const char *actual = json_string_value(json_object_get(object, "type"));
    if (actual == NULL || strcmp(actual, type) != 0)
        fail_msg("not of type %s: %s", type, line);
    return object;
}

void client_skip_hello(struct hub_fixture *fixture, struct client *client)
{
    json_decref(client_object(fixture, client, "hello"));
}

void client_expect(struct hub_fixture *fixture, struct client *client, const char *line)
{
    const char *actual = client_line(fixture, client);
    if (actual == NULL)
        fail_msg("nothing came where this was expected: %s", line);
    assert_string_equal(actual, line);
}

void client_expect_nothing(struct hub_fixture *fixture, struct client *client)
{
    const char *line = client_line(fixture, client);
    if (line != NULL)
        fail_msg("not expected: %s", line);
    assert_false(client->ended);
}

void client_expect_end(struct hub_fixture *fixture, struct client *client)
{
    const char *line = client_line(fixture, client);
    if (line != NULL)
        fail_msg("not expected: %s", line);
    assert_true(client->ended);
}

void client_expect_error(struct hub_fixture *fixture, struct client *client, const char *ref, const char *code)
{
    json_t *object = client_object(fixture, client, "error");
    assert_string_equal(json_string_value(json_object_get(object, "code")), code);
    const json_t *actual = json_object_get(object, "ref");
    if (ref == NULL)
        assert_null(actual);
    else
        assert_string_equal(json_string_value(actual), ref);
    assert_true(json_string_length(json_object_get(object, "message")) > 0);
    json_decref(object);
}

void client_expect_event(struct hub_fixture *fixture, struct client *client, const char *type, json_int_t id,
                         uint8_t device, const char *text)
{
    json_t *object = client_object(fixture, client, type);
    assert_int_equal(json_integer_value(json_object_get(object, "id")), id);
    char expected[32];
    assert_true(snprintf(expected, sizeof expected, "de:ad:be:ef:00:%02x", device) > 0);
    assert_string_equal(json_string_value(json_object_get(object, "device")), expected);
    if (text != NULL)
        assert_string_equal(json_string_value(json_object_get(object, "text")), text);
    json_decref(object);
}
