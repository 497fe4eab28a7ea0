#include "delivery/command_route.h"

#include <assert.h>
#include <string.h>

#include "delivery/backend.h"
#include "delivery/command_run.h"
#include "delivery/hub_state.h"
#include "platform/clock.h"

void command_route_to_session(struct hub *hub, struct pending_command *command, struct directory_session *session)
{
    memcpy(command->session, session->session, sizeof command->session);
    command->seam.outcome = SEAM_PENDING;
    session->commands++;
    seam_inbox_command(hub->inboxes[session->shard], &command->seam);
}

static void expire(struct hub *hub, uint64_t now)
{
    struct pending_command *command;
    while ((command = waiting_messages_take_due(&hub->waiting, now)) != NULL) {
        command->seam.outcome = SEAM_EXPIRED;
        command_answer(hub, command);
    }
}

static void on_due(uv_timer_t *timer);

static void watch_deadline(struct hub *hub)
{
    uint64_t due = waiting_messages_deadline(&hub->waiting);
    if (due == hub->waiting_due || hub->closing)
        return;
    hub->waiting_due = due;
    if (due == DEADLINE_NEVER) {
        (void)uv_timer_stop(&hub->waiting_timer);
        return;
    }
    uint64_t now = clock_monotonic_us();
    uint64_t wait = due > now ? due - now : 0;
    uv_update_time(hub->loop);
    int result = uv_timer_start(&hub->waiting_timer, on_due, (wait + 999) / 1000, 0);
    assert(result == 0);
}

static void on_due(uv_timer_t *timer)
{
    struct hub *hub = timer->data;
    hub->waiting_due = DEADLINE_NEVER;
    expire(hub, clock_monotonic_us());
    watch_deadline(hub);
    for (size_t i = 0; i < hub->backend_count; i++)
        backend_flush(hub->backends[i]);
    hub_look_for_end_of_draining(hub);
}

bool command_route_wait(struct hub *hub, struct pending_command *command)
{
    if (!waiting_messages_add(&hub->waiting, command))
        return false;
    watch_deadline(hub);
    return true;
}

void command_route_connected(struct hub *hub, struct directory_session *session)
{
    struct pending_command *command;
    while ((command = waiting_messages_take(&hub->waiting, session->device)) != NULL)
        command_route_to_session(hub, command, session);
    watch_deadline(hub);
}

static void leave_session(const struct hub *hub, const struct pending_command *command)
{
    struct directory_session *session = directory_find(&hub->directory, command->seam.device);
    if (session != NULL && memcmp(session->session, command->session, sizeof session->session) == 0) {
        assert(session->commands > 0);
        session->commands--;
    }
}

/* The session that has taken the place of the one that it was handed to. */
static struct directory_session *next_session(const struct hub *hub, const struct pending_command *command)
{
    struct directory_session *session = directory_find(&hub->directory, command->seam.device);
    bool is_next = session != NULL && memcmp(session->session, command->session, sizeof session->session) != 0;
    return is_next ? session : NULL;
}

/* What was never sent and is for whatever session the device has. */
static bool may_go_again(const struct pending_command *command)
{
    return command->seam.operation == SEAM_SEND && command->seam.outcome == SEAM_NOT_CONNECTED &&
           !command->seam.session_given;
}

enum command_route_verdict command_route_back(struct hub *hub, struct pending_command *command)
{
    leave_session(hub, command);
    if (!may_go_again(command))
        return COMMAND_ROUTE_ENDS;
    struct directory_session *next = next_session(hub, command);
    if (next == NULL && !command->may_wait)
        return COMMAND_ROUTE_ENDS;
    if (hub->draining || command->seam.deadline <= clock_monotonic_us()) {
        command->seam.outcome = SEAM_EXPIRED;
        return COMMAND_ROUTE_ENDS;
    }
    if (next != NULL) {
        command_route_to_session(hub, command, next);
        return COMMAND_ROUTED_AGAIN;
    }
    if (!command_route_wait(hub, command)) {
        command->seam.outcome = SEAM_BUSY;
        return COMMAND_ROUTE_ENDS;
    }
    return COMMAND_ROUTED_AGAIN;
}

void command_route_end_waiting(struct hub *hub)
{
    expire(hub, DEADLINE_NEVER);
    watch_deadline(hub);
}

void command_route_open(struct hub *hub)
{
    int result = uv_timer_init(hub->loop, &hub->waiting_timer);
    assert(result == 0);
    hub->waiting_timer.data = hub;
    hub->waiting_due = DEADLINE_NEVER;
    hub_handle_opened(hub);
}

static void on_timer_closed(uv_handle_t *handle)
{
    hub_handle_closed(handle->data);
}

void command_route_close(struct hub *hub)
{
    uv_close((uv_handle_t *)&hub->waiting_timer, on_timer_closed);
}
