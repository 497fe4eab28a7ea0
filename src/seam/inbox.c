#include "seam/inbox.h"

#include <assert.h>
#include <stddef.h>

void seam_inbox_open(struct seam_inbox *inbox, void (*wake)(void *context), void *wake_context)
{
    *inbox = (struct seam_inbox){.wake = wake, .wake_context = wake_context};
    inbox->commands_end = &inbox->commands;
}

void seam_inbox_command(struct seam_inbox *inbox, struct seam_command *command)
{
    assert(command->outcome == SEAM_PENDING);
    command->next = NULL;
    *inbox->commands_end = command;
    inbox->commands_end = &command->next;
    inbox->wake(inbox->wake_context);
}

void seam_inbox_give_credit(struct seam_inbox *inbox, unsigned backend, uint64_t bytes)
{
    assert(backend < SEAM_BACKENDS_MAX);
    inbox->credit.bytes[backend] += bytes;
    inbox->credited = true;
    inbox->wake(inbox->wake_context);
}

void seam_inbox_deny(struct seam_inbox *inbox, unsigned backend, const struct seam_denied_list *list)
{
    assert(backend < SEAM_BACKENDS_MAX && list->count <= SEAM_DENIED_MAX);
    inbox->denied.lists[backend] = *list;
    inbox->denied_changed = true;
    inbox->wake(inbox->wake_context);
}

const struct seam_denied *seam_inbox_take_denied(struct seam_inbox *inbox)
{
    if (!inbox->denied_changed)
        return NULL;
    inbox->denied_changed = false;
    return &inbox->denied;
}

struct seam_command *seam_inbox_take(struct seam_inbox *inbox, struct seam_credit *credit, bool *credited)
{
    struct seam_command *commands = inbox->commands;
    inbox->commands = NULL;
    inbox->commands_end = &inbox->commands;
    *credit = inbox->credit;
    *credited = inbox->credited;
    inbox->credit = (struct seam_credit){0};
    inbox->credited = false;
    return commands;
}
