/* A command between the backend that asked and the shard that carries it out, with all its bytes in one piece of
 * memory. How many there may be is bounded by budgets of each backend; all of them are on one list, so that the hub
 * can free what is left when it closes.
 */
#ifndef DELIVERY_PENDING_COMMAND_H
#define DELIVERY_PENDING_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/command_parse.h"
#include "platform/deadlines.h"
#include "seam/command.h"

struct command_budget {
    uint32_t commands_max;
    size_t bytes_max;
    uint32_t commands;
    size_t bytes;
};

struct pending_command {
    struct seam_command seam;
    struct pending_command *previous;
    struct pending_command *next;
    struct command_budget *budget; /* that it counts in */
    uint64_t number;               /* of all commands, in the order in which they came */
    unsigned backend;
    bool may_wait;       /* for its device to connect: it came with a ttl */
    uint64_t connection; /* the number of the one that asked */
    uint8_t session[16]; /* that the device had when it was handed to a shard */
    struct answer_ref ref;
    struct deadline waits_until; /* these three: waiting_messages.h */
    struct pending_command *previous_waiting;
    struct pending_command *next_waiting;
    uint8_t payload[];
};

struct pending_commands {
    struct pending_command *first;
    uint64_t count; /* of all that ever were */
};

void pending_commands_open(struct pending_commands *commands);
/* Frees all of them. */
void pending_commands_close(struct pending_commands *commands);

/* Whether one more of such a payload would stay within the budget. */
bool command_budget_has_room(const struct command_budget *budget, size_t payload_size);

/* A command for a shard, made from the request of a send (at most SEAM_PAYLOAD_MAX bytes) or close; the budget, which
 * outlives it, is charged. NULL: memory is short. */
struct pending_command *pending_command_new(struct pending_commands *commands, struct command_budget *budget,
                                            const struct command_request *request) __attribute__((warn_unused_result));
void pending_command_free(struct pending_commands *commands, struct pending_command *command);

/* The one that a shard handed back. */
struct pending_command *pending_command_of(struct seam_command *command);

#endif
