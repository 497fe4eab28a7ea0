#include "gateway/downlink.h"

#include <assert.h>

#include "gateway/shard_internal.h"

static void remove_first(struct session *session, enum seam_outcome outcome)
{
    struct seam_command *command = session->commands;
    session->commands = command->next;
    if (session->commands == NULL) {
        session->commands_end = &session->commands;
    }
    session->command_count--;
    session->command_is_out = false;
    if (outcome == SEAM_SENT_BY_DEVICE || outcome == SEAM_SENT_BY_SOCKET) {
        session->shard->counters.messages_down++;
        session->shard->counters.bytes_down += command->size;
    }
    seam_outbox_finish(session->shard->outbox, command, outcome);
}

void downlink_queue(struct session *session, struct seam_command *command)
{
    assert(session->live);
    struct seam_outbox *outbox = session->shard->outbox;
    if (!session->wire.may_send) {
        seam_outbox_finish(outbox, command, SEAM_FORBIDDEN);
        return;
    }
    if (command->size > session->max_downlink) {
        command->limit = session->max_downlink;
        seam_outbox_finish(outbox, command, SEAM_TOO_LARGE);
        return;
    }
    if (session->command_count == SESSION_COMMANDS_MAX) {
        seam_outbox_finish(outbox, command, SEAM_BUSY);
        return;
    }
    command->next = NULL;
    *session->commands_end = command;
    session->commands_end = &command->next;
    session->command_count++;
    if (command->deadline < session->commands_due) {
        session->commands_due = command->deadline;
    }
}

/* What a stream's kernel buffer says of the message that was just written to it. */
static bool settle_written(struct session *session)
{
    switch (session->shard->stream_written) {
    case SHARD_WRITTEN:
        remove_first(session, SEAM_SENT_BY_SOCKET);
        return true;
    case SHARD_QUEUED:
        session->stream_is_busy = true;
        session->command_is_out = true;
        return false;
    case SHARD_FAILED:
        session->command_is_out = true;
        return false;
    }
    return false;
}

static bool send_first(struct session *session, struct shard_time now)
{
    struct seam_command *command = session->commands;
    switch (usmp_session_send(&session->wire, command->payload, command->size, now.monotonic)) {
    case USMP_SEND_STARTED:
        session->command_is_out = true;
        return false;
    case USMP_SEND_WRITTEN:
        return settle_written(session);
    case USMP_SEND_BUSY:
    case USMP_SEND_OVER:
        return false;
    case USMP_SEND_NO_BLOCK:
        session_retry(session, now);
        return false;
    case USMP_SEND_FORBIDDEN:
        remove_first(session, SEAM_FORBIDDEN);
        return true;
    case USMP_SEND_TOO_LARGE:
        command->limit = USMP_MESSAGE_MAX;
        remove_first(session, SEAM_TOO_LARGE);
        return true;
    }
    return false;
}

void downlink_start(struct session *session, struct shard_time now)
{
    while (session->live && session->commands != NULL && !session->command_is_out && !session->stream_is_busy &&
           !session->stream_failed && usmp_session_can_send(&session->wire)) {
        if (!send_first(session, now)) {
            break;
        }
    }
}

void downlink_acknowledged(struct session *session)
{
    assert(session->commands != NULL && session->command_is_out);
    remove_first(session, SEAM_SENT_BY_DEVICE);
}

void downlink_drained(struct session *session)
{
    session->stream_is_busy = false;
    if (session->command_is_out) {
        remove_first(session, SEAM_SENT_BY_SOCKET);
    }
}

/* Behind the one that is out, any may have expired: they need not have the same time to live. */
static void expire_waiting(struct session *session, uint64_t now)
{
    struct seam_command **place = &session->commands;
    if (session->command_is_out) {
        place = &session->commands->next;
    }
    while (*place != NULL) {
        struct seam_command *command = *place;
        if (command->deadline > now) {
            place = &command->next;
            continue;
        }
        *place = command->next;
        session->command_count--;
        seam_outbox_finish(session->shard->outbox, command, SEAM_EXPIRED);
    }
    session->commands_end = place;
}

static uint64_t first_deadline(const struct session *session)
{
    uint64_t first = DEADLINE_NEVER;
    for (const struct seam_command *command = session->commands; command != NULL; command = command->next) {
        first = command->deadline < first ? command->deadline : first;
    }
    return first;
}

/* Walks the list only when a deadline may have come, not for every message that has left. */
void downlink_expire(struct session *session, uint64_t now)
{
    if (now < session->commands_due) {
        return;
    }
    if (session->command_is_out && session->commands->deadline <= now) {
        if (session->wire.transport == USMP_UDP) {
            (void)!usmp_session_cancel(&session->wire);
        }
        remove_first(session, SEAM_UNCONFIRMED);
    }
    expire_waiting(session, now);
    session->commands_due = first_deadline(session);
}

void downlink_abandon(struct session *session)
{
    if (session->command_is_out) {
        remove_first(session, SEAM_UNCONFIRMED);
    }
    while (session->commands != NULL) {
        remove_first(session, SEAM_NOT_CONNECTED);
    }
}
