/* Messages with a `ttl` whose device has no session: docs/backend.md, "send"; docs/design/waiting-messages.md.
 *
 * For each device a list in the order of the commands' numbers, whichever backend they came from; over all devices one
 * heap of deadlines. A message that comes back from a session stands again where it stood. Adding and taking cost
 * O(log n) of the messages that wait; to find the place of one that came back costs the messages of its device behind
 * that, of which there are hardly ever any.
 *
 * It does not own the commands: whoever adds them frees them after they were taken. The bounds are in
 * delivery/hub.h and kept by the budgets of the backends. Memory beside the commands: 48 bytes and a place in a table
 * for each device.
 */
#ifndef DELIVERY_WAITING_MESSAGES_H
#define DELIVERY_WAITING_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/device_table.h"
#include "delivery/pending_command.h"
#include "platform/deadlines.h"

struct waiting_messages {
    struct device_table devices; /* only those for which something waits */
    struct deadlines deadlines;
};

/* `key`: random bytes of this process. False: memory is short. */
bool waiting_messages_open(struct waiting_messages *waiting, const uint8_t key[static DEVICE_TABLE_KEY_SIZE])
    __attribute__((warn_unused_result));
/* Nothing waits any more. */
void waiting_messages_close(struct waiting_messages *waiting);

/* False: memory is short, nothing has changed. */
bool waiting_messages_add(struct waiting_messages *waiting, struct pending_command *command)
    __attribute__((warn_unused_result));

/* The first message for the device, which waits no more; NULL if there is none. */
struct pending_command *waiting_messages_take(struct waiting_messages *waiting, const uint8_t id[static 6])
    __attribute__((warn_unused_result));

/* One whose deadline is `now` or before, which waits no more; NULL if there is none. */
struct pending_command *waiting_messages_take_due(struct waiting_messages *waiting, uint64_t now)
    __attribute__((warn_unused_result));

/* The first deadline; DEADLINE_NEVER if nothing waits. */
uint64_t waiting_messages_deadline(const struct waiting_messages *waiting);

/* How many wait for the device. */
size_t waiting_messages_count(const struct waiting_messages *waiting, const uint8_t id[static 6]);

#endif
