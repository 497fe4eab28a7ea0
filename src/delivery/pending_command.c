#include "delivery/pending_command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void pending_commands_open(struct pending_commands *commands)
{
    *commands = (struct pending_commands){.first = NULL};
}

void pending_commands_close(struct pending_commands *commands)
{
    while (commands->first != NULL) {
        struct pending_command *command = commands->first;
        commands->first = command->next;
        free(command);
    }
}

static size_t memory_of(size_t payload_size)
{
    return sizeof(struct pending_command) + payload_size;
}

bool command_budget_has_room(const struct command_budget *budget, size_t payload_size)
{
    return budget->commands < budget->commands_max && budget->bytes + memory_of(payload_size) <= budget->bytes_max;
}

struct pending_command *pending_command_new(struct pending_commands *commands, struct command_budget *budget,
                                            const struct command_request *request)
{
    assert(request->operation != COMMAND_LIST);
    assert(request->size <= SEAM_PAYLOAD_MAX);
    struct pending_command *command = malloc(memory_of(request->size));
    if (command == NULL)
        return NULL;
    *command = (struct pending_command){
        .seam = {.operation = request->operation == COMMAND_SEND ? SEAM_SEND : SEAM_CLOSE,
                 .outcome = SEAM_PENDING,
                 .session_given = request->session_given,
                 .payload = command->payload,
                 .size = (uint16_t)request->size},
        .next = commands->first,
        .budget = budget,
        .number = ++commands->count,
        .may_wait = request->ttl_given,
        .ref = request->ref,
    };
    memcpy(command->seam.device, request->device, sizeof command->seam.device);
    if (request->session_given)
        memcpy(command->seam.session, request->session, sizeof command->seam.session);
    memcpy(command->payload, request->payload, request->size);
    if (commands->first != NULL)
        commands->first->previous = command;
    commands->first = command;
    budget->commands++;
    budget->bytes += memory_of(request->size);
    return command;
}

void pending_command_free(struct pending_commands *commands, struct pending_command *command)
{
    struct command_budget *budget = command->budget;
    if (command->previous != NULL)
        command->previous->next = command->next;
    else
        commands->first = command->next;
    if (command->next != NULL)
        command->next->previous = command->previous;
    assert(budget->commands > 0);
    budget->commands--;
    budget->bytes -= memory_of(command->seam.size);
    free(command);
}

struct pending_command *pending_command_of(struct seam_command *command)
{
    _Static_assert(offsetof(struct pending_command, seam) == 0, "the shard's part comes first");
    return (struct pending_command *)command;
}
