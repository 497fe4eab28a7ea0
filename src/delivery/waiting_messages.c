#include "delivery/waiting_messages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct waiting_device {
    uint8_t device[6];
    struct pending_command *first;
    struct pending_command *last;
    size_t count;
};

_Static_assert(offsetof(struct waiting_device, device) == 0, "device_table.h finds the id there");

bool waiting_messages_open(struct waiting_messages *waiting, const uint8_t key[static DEVICE_TABLE_KEY_SIZE])
{
    *waiting = (struct waiting_messages){.deadlines = {.heap = NULL}};
    return device_table_open(&waiting->devices, key);
}

void waiting_messages_close(struct waiting_messages *waiting)
{
    while (waiting_messages_take_due(waiting, DEADLINE_NEVER) != NULL)
        continue;
    assert(waiting->devices.count == 0);
    device_table_close(&waiting->devices);
    deadlines_close(&waiting->deadlines);
}

static struct waiting_device *find_or_make(struct waiting_messages *waiting, const uint8_t device[static 6])
{
    struct waiting_device *found = device_table_find(&waiting->devices, device);
    if (found != NULL)
        return found;
    if (!device_table_reserve(&waiting->devices))
        return NULL;
    struct waiting_device *made = malloc(sizeof *made);
    if (made == NULL)
        return NULL;
    *made = (struct waiting_device){.first = NULL};
    memcpy(made->device, device, sizeof made->device);
    device_table_insert(&waiting->devices, made);
    return made;
}

static void insert(struct waiting_device *device, struct pending_command *command)
{
    struct pending_command *before = device->last;
    while (before != NULL && before->number > command->number)
        before = before->previous_waiting;
    command->previous_waiting = before;
    command->next_waiting = before != NULL ? before->next_waiting : device->first;
    *(before != NULL ? &before->next_waiting : &device->first) = command;
    *(command->next_waiting != NULL ? &command->next_waiting->previous_waiting : &device->last) = command;
    device->count++;
}

bool waiting_messages_add(struct waiting_messages *waiting, struct pending_command *command)
{
    if (!deadlines_reserve(&waiting->deadlines))
        return false;
    struct waiting_device *device = find_or_make(waiting, command->seam.device);
    if (device == NULL) {
        deadlines_release(&waiting->deadlines);
        return false;
    }
    insert(device, command);
    deadline_init(&command->waits_until, 0);
    deadlines_set(&waiting->deadlines, &command->waits_until, command->seam.deadline);
    return true;
}

static void remove_command(struct waiting_messages *waiting, struct waiting_device *device,
                           struct pending_command *command)
{
    *(command->previous_waiting != NULL ? &command->previous_waiting->next_waiting : &device->first) =
        command->next_waiting;
    *(command->next_waiting != NULL ? &command->next_waiting->previous_waiting : &device->last) =
        command->previous_waiting;
    deadlines_set(&waiting->deadlines, &command->waits_until, DEADLINE_NEVER);
    deadlines_release(&waiting->deadlines);
    if (--device->count == 0) {
        device_table_remove(&waiting->devices, device->device);
        free(device);
    }
}

struct pending_command *waiting_messages_take(struct waiting_messages *waiting, const uint8_t id[static 6])
{
    struct waiting_device *device = device_table_find(&waiting->devices, id);
    if (device == NULL)
        return NULL;
    struct pending_command *first = device->first;
    remove_command(waiting, device, first);
    return first;
}

static struct pending_command *command_of(struct deadline *deadline)
{
    return (struct pending_command *)(void *)((uint8_t *)deadline - offsetof(struct pending_command, waits_until));
}

struct pending_command *waiting_messages_take_due(struct waiting_messages *waiting, uint64_t now)
{
    struct deadline *first = deadlines_first(&waiting->deadlines);
    if (first == NULL || first->due > now)
        return NULL;
    struct pending_command *command = command_of(first);
    remove_command(waiting, device_table_find(&waiting->devices, command->seam.device), command);
    return command;
}

uint64_t waiting_messages_deadline(const struct waiting_messages *waiting)
{
    const struct deadline *first = deadlines_first(&waiting->deadlines);
    return first == NULL ? DEADLINE_NEVER : first->due;
}

size_t waiting_messages_count(const struct waiting_messages *waiting, const uint8_t id[static 6])
{
    const struct waiting_device *device = device_table_find(&waiting->devices, id);
    return device == NULL ? 0 : device->count;
}
