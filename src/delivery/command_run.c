#include "delivery/command_run.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config/device_id.h"
#include "delivery/backend.h"
#include "delivery/command_route.h"
#include "delivery/connection.h"
#include "delivery/hub_state.h"
#include "platform/clock.h"

static void answer_error(struct connection *connection, const struct answer_ref *ref, enum answer_code code,
                         const char *message, unsigned limit)
{
    char line[ANSWER_NDJSON_LINE_MAX];
    connection_answer(connection, line, answer_ndjson_error(ref, code, message, limit, line));
}

static void answer_about(struct connection *connection, const struct answer_ref *ref, const uint8_t device[static 6],
                         enum answer_code code, const char *complaint, unsigned limit)
{
    char id[CONFIG_DEVICE_ID_TEXT];
    config_device_id_format(device, id);
    char message[ANSWER_MESSAGE_MAX + 1];
    int length = snprintf(message, sizeof message, "device %s %s", id, complaint);
    assert(length > 0 && (size_t)length < sizeof message);
    answer_error(connection, ref, code, message, limit);
}

/* Whether the backend may speak to the device; answers if not. */
static bool is_permitted(struct connection *connection, const struct command_request *request)
{
    const struct backend *backend = connection->backend;
    if (!backend->config->commands) {
        answer_error(connection, &request->ref, ANSWER_FORBIDDEN, "this backend may not give commands", 0);
        return false;
    }
    if (!config_backend_serves(backend->config, request->device)) {
        answer_about(connection, &request->ref, request->device, ANSWER_FORBIDDEN, "is none of this backend's", 0);
        return false;
    }
    return true;
}

/* Whether it can go to `session` (NULL: the device has none) or wait for one; answers if not. */
static bool has_destination(struct connection *connection, const struct command_request *request,
                            const struct directory_session *session)
{
    bool may_wait = request->ttl_given && !request->session_given;
    if (session == NULL && !may_wait) {
        answer_about(connection, &request->ref, request->device, ANSWER_NOT_CONNECTED, "has no session", 0);
        return false;
    }
    if (request->session_given && memcmp(session->session, request->session, sizeof session->session) != 0) {
        answer_about(connection, &request->ref, request->device, ANSWER_NOT_CONNECTED, "has another session", 0);
        return false;
    }
    return true;
}

/* Nothing waits for a device that has a session. */
static size_t commands_for_device(const struct hub *hub, const struct command_request *request,
                                  const struct directory_session *session)
{
    return session != NULL ? session->commands : waiting_messages_count(&hub->waiting, request->device);
}

/* A command within the bounds, or NULL after an answer. */
static struct pending_command *make_command(struct connection *connection, const struct command_request *request,
                                            const struct directory_session *session)
{
    struct backend *backend = connection->backend;
    struct hub *hub = backend->hub;
    struct command_budget *budget = request->ttl_given ? &backend->ttl_budget : &backend->budget;
    if (request->size > SEAM_PAYLOAD_MAX) {
        answer_about(connection, &request->ref, request->device, ANSWER_TOO_LARGE, "takes at most 1808 bytes",
                     SEAM_PAYLOAD_MAX);
        return NULL;
    }
    if (commands_for_device(hub, request, session) >= HUB_DEVICE_COMMANDS_MAX) {
        answer_about(connection, &request->ref, request->device, ANSWER_BUSY, "has too many commands under way", 0);
        return NULL;
    }
    if (!command_budget_has_room(budget, request->size)) {
        answer_error(connection, &request->ref, ANSWER_BUSY, "too many commands of this backend are under way", 0);
        return NULL;
    }
    struct pending_command *command = pending_command_new(&hub->commands, budget, request);
    if (command == NULL) {
        answer_error(connection, &request->ref, ANSWER_BUSY, "memory is short", 0);
        return NULL;
    }
    command->backend = backend->index;
    command->connection = connection->number;
    command->seam.deadline = clock_monotonic_us() + (request->ttl_given ? request->ttl : HUB_COMMAND_DEADLINE);
    return command;
}

static void send_or_close(struct connection *connection, const struct command_request *request)
{
    struct hub *hub = connection->backend->hub;
    if (!is_permitted(connection, request))
        return;
    struct directory_session *session = directory_find(&hub->directory, request->device);
    if (!has_destination(connection, request, session))
        return;
    struct pending_command *command = make_command(connection, request, session);
    if (command == NULL)
        return;
    if (session != NULL) {
        command_route_to_session(hub, command, session);
    } else if (!command_route_wait(hub, command)) {
        command->seam.outcome = SEAM_BUSY;
        command_answer(hub, command);
    }
}

void command_run(struct connection *connection, const char *line, size_t size)
{
    struct command_request request;
    struct command_mistake mistake;
    switch (command_parse(line, size, &request, &mistake)) {
    case COMMAND_BAD:
        answer_error(connection, &request.ref, ANSWER_BAD_REQUEST, mistake.text, 0);
        return;
    case COMMAND_SHORT_OF_MEMORY:
        answer_error(connection, &request.ref, ANSWER_BUSY, "memory is short", 0);
        return;
    case COMMAND_GOOD:
        break;
    }
    if (request.operation != COMMAND_LIST)
        send_or_close(connection, &request);
    else if (!session_list_ask(&connection->list, &connection->backend->lists, &request.ref))
        answer_error(connection, &request.ref, ANSWER_BUSY, "too many lists wait", 0);
}

void command_refuse_long_line(struct connection *connection)
{
    static const struct answer_ref NO_REF = {.given = false};
    answer_error(connection, &NO_REF, ANSWER_BAD_REQUEST, "the line is longer than 16384 bytes", 0);
}

static void answer_too_large(struct connection *connection, const struct pending_command *command)
{
    char complaint[64];
    int length = snprintf(complaint, sizeof complaint, "takes messages of at most %u bytes", command->seam.limit);
    assert(length > 0 && (size_t)length < sizeof complaint);
    answer_about(connection, &command->ref, command->seam.device, ANSWER_TOO_LARGE, complaint, command->seam.limit);
}

static void answer_outcome(struct connection *connection, const struct pending_command *command)
{
    static const struct {
        enum answer_code code;
        const char *complaint;
    } ERRORS[] = {
        [SEAM_NOT_CONNECTED] = {ANSWER_NOT_CONNECTED, "has no session, or not this one"},
        [SEAM_EXPIRED] = {ANSWER_EXPIRED, "could not be sent to in time; nothing was sent"},
        [SEAM_UNCONFIRMED] = {ANSWER_UNCONFIRMED, "has not acknowledged; the message may have arrived"},
        [SEAM_BUSY] = {ANSWER_BUSY, "has too much waiting for it, or memory is short"},
        [SEAM_FORBIDDEN] = {ANSWER_FORBIDDEN, "speaks wire 1 and v1_downlink is off"},
    };
    char line[ANSWER_NDJSON_LINE_MAX];
    const struct answer_ref *ref = &command->ref;
    enum seam_outcome outcome = command->seam.outcome;
    switch (outcome) {
    case SEAM_SENT_BY_DEVICE:
    case SEAM_SENT_BY_SOCKET:
        if (ref->given)
            connection_answer(connection, line, answer_ndjson_sent(ref, outcome == SEAM_SENT_BY_DEVICE, line));
        break;
    case SEAM_CLOSE_DONE:
        if (ref->given)
            connection_answer(connection, line, answer_ndjson_closed(ref, line));
        break;
    case SEAM_TOO_LARGE:
        answer_too_large(connection, command);
        break;
    case SEAM_PENDING:
        assert(false);
        break;
    default:
        answer_about(connection, ref, command->seam.device, ERRORS[outcome].code, ERRORS[outcome].complaint,
                     command->seam.limit);
        break;
    }
}

void command_answer(struct hub *hub, struct pending_command *command)
{
    struct connection *connection = hub->backends[command->backend]->connection;
    if (connection != NULL && connection->number == command->connection)
        answer_outcome(connection, command);
    pending_command_free(&hub->commands, command);
}

void command_finish(struct hub *hub, struct seam_command *command)
{
    struct pending_command *finished = pending_command_of(command);
    if (command_route_back(hub, finished) == COMMAND_ROUTE_ENDS)
        command_answer(hub, finished);
}
