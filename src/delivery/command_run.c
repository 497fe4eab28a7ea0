#include "delivery/command_run.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config/device_id.h"
#include "delivery/backend.h"
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

/* The session a send or close is for, or NULL after an answer. */
static struct directory_session *find_session(struct connection *connection, const struct command_request *request)
{
    const struct backend *backend = connection->backend;
    if (!backend->config->commands) {
        answer_error(connection, &request->ref, ANSWER_FORBIDDEN, "this backend may not give commands", 0);
        return NULL;
    }
    if (!config_backend_serves(backend->config, request->device)) {
        answer_about(connection, &request->ref, request->device, ANSWER_FORBIDDEN, "is none of this backend's", 0);
        return NULL;
    }
    struct directory_session *session = directory_find(&backend->hub->directory, request->device);
    if (session == NULL) {
        answer_about(connection, &request->ref, request->device, ANSWER_NOT_CONNECTED, "has no session", 0);
        return NULL;
    }
    if (request->session_given && memcmp(session->session, request->session, sizeof session->session) != 0) {
        answer_about(connection, &request->ref, request->device, ANSWER_NOT_CONNECTED, "has another session", 0);
        return NULL;
    }
    return session;
}

static void hand_to_shard(struct connection *connection, const struct command_request *request)
{
    struct backend *backend = connection->backend;
    struct hub *hub = backend->hub;
    struct directory_session *session = find_session(connection, request);
    if (session == NULL)
        return;
    if (request->size > SEAM_PAYLOAD_MAX) {
        answer_about(connection, &request->ref, request->device, ANSWER_TOO_LARGE, "takes at most 1808 bytes",
                     SEAM_PAYLOAD_MAX);
        return;
    }
    if (session->commands >= HUB_DEVICE_COMMANDS_MAX) {
        answer_about(connection, &request->ref, request->device, ANSWER_BUSY, "has too many commands under way", 0);
        return;
    }
    if (!command_budget_has_room(&backend->budget, request->size)) {
        answer_error(connection, &request->ref, ANSWER_BUSY, "too many commands of this backend are under way", 0);
        return;
    }
    struct pending_command *command = pending_command_new(&hub->commands, &backend->budget, request);
    if (command == NULL) {
        answer_error(connection, &request->ref, ANSWER_BUSY, "memory is short", 0);
        return;
    }
    command->backend = backend->index;
    command->connection = connection->number;
    command->seam.deadline = clock_monotonic_us() + HUB_COMMAND_DEADLINE;
    memcpy(command->session, session->session, sizeof command->session);
    session->commands++;
    seam_inbox_command(hub->inboxes[session->shard], &command->seam);
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
        hand_to_shard(connection, &request);
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
        [SEAM_BUSY] = {ANSWER_BUSY, "has too much waiting for it"},
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

void command_finish(struct hub *hub, struct seam_command *command)
{
    struct pending_command *finished = pending_command_of(command);
    struct backend *backend = hub->backends[finished->backend];
    struct directory_session *session = directory_find(&hub->directory, command->device);
    if (session != NULL && memcmp(session->session, finished->session, sizeof session->session) == 0) {
        assert(session->commands > 0);
        session->commands--;
    }
    struct connection *connection = backend->connection;
    if (connection != NULL && connection->number == finished->connection)
        answer_outcome(connection, finished);
    pending_command_free(&hub->commands, &backend->budget, finished);
}
