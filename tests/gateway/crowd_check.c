/* What is to hold when everybody has gone home. */
#include "gateway/crowd.h"

#include <string.h>

#include "gateway/expect.h"

/* The next message that was told of a session, from the event at `index` on; SIZE_MAX: none. */
static size_t next_told(const struct world *world, const uint8_t *session, size_t index)
{
    for (; index < world->event_count; index++) {
        const struct seam_event *event = &world->events[index].event;
        if (event->kind == SEAM_MESSAGE && memcmp(event->session, session, sizeof event->session) == 0)
            return index;
    }
    return SIZE_MAX;
}

static bool is_told_as(const struct world_event *event, const struct device_message *message)
{
    return event->event.size == message->size && memcmp(event->payload, message->bytes, message->size) == 0;
}

/* Messages are told in the order in which they were said, none twice and none left out. The last may be one that the
 * device does not know of: its UTACK was lost, or it was given up. Over TCP the end of what was written may be lost
 * with the connection. */
static void check_uplink(const struct simulated_device *end)
{
    const struct world *world = end->world;
    if (end->end.state != USMP_DEVICE_CONNECTED) {
        assert_int_equal(end->acknowledged, 0);
        return;
    }
    const uint8_t *session = end->end.session.session_id;
    size_t told = next_told(world, session, 0);
    for (const struct device_message *message = end->sent.first; message != NULL; message = message->next) {
        if (told == SIZE_MAX) {
            assert_int_equal(end->transport, USMP_TCP);
            return;
        }
        assert_true(is_told_as(&world->events[told], message));
        told = next_told(world, session, told + 1);
    }
    if (told != SIZE_MAX) {
        assert_true(end->sending);
        assert_true(is_told_as(&world->events[told], end->to_send.first));
        assert_int_equal(next_told(world, session, told + 1), SIZE_MAX);
    }
}

/* How often a device has received a command's message, over all of its ends. */
static unsigned times_received(const struct world *world, const struct seam_command *command, const char *text)
{
    unsigned times = 0;
    for (const struct simulated_device *end = world->devices; end != NULL; end = end->next) {
        if (memcmp(end->id, command->device, sizeof end->id) != 0)
            continue;
        for (const struct device_message *message = end->received.first; message != NULL; message = message->next)
            times += message->size == command->size && memcmp(message->bytes, text, strlen(text)) == 0;
    }
    return times;
}

static void check_command(const struct crowd *crowd, size_t index)
{
    const struct seam_command *command = crowd->commands[index];
    char text[64];
    snprintf(text, sizeof text, "command %zu.", index);
    unsigned times = command->operation == SEAM_CLOSE ? 0 : times_received(crowd->world, command, text);
    bool spoken_to = crowd->inhabitants[command->device[5]].spoken_to;
    unsigned rekeys = crowd->inhabitants[command->device[5]].rekeys;
    switch (command->outcome) {
    case SEAM_SENT_BY_DEVICE:
        assert_in_range(times, 1, 1 + rekeys); /* once more for each REKEY that came in between */
        break;
    case SEAM_UNCONFIRMED:
        assert_in_range(times, 0, 1 + rekeys);
        break;
    case SEAM_SENT_BY_SOCKET:
        assert_in_range(times, 0, 1); /* the connection may be gone */
        break;
    case SEAM_FORBIDDEN:
        assert_false(spoken_to);
        assert_int_equal(times, 0);
        break;
    case SEAM_NOT_CONNECTED:
    case SEAM_EXPIRED:
    case SEAM_BUSY:
        assert_int_equal(times, 0);
        break;
    case SEAM_CLOSE_DONE:
        assert_int_equal(command->operation, SEAM_CLOSE);
        break;
    case SEAM_PENDING:
    case SEAM_TOO_LARGE:
        fail();
    }
}

/* What a device received came in the order of the commands, but for what was given up while a copy of it was still on
 * its way. */
static void check_order(const struct crowd *crowd, const struct simulated_device *end)
{
    unsigned long last = 0;
    for (const struct device_message *message = end->received.first; message != NULL; message = message->next) {
        char text[32] = {0};
        memcpy(text, message->bytes, message->size < sizeof text - 1 ? message->size : sizeof text - 1);
        unsigned long number = 0;
        assert_int_equal(sscanf(text, "command %lu.", &number), 1);
        assert_in_range(number, 0, crowd->command_count - 1);
        if (crowd->commands[number]->outcome == SEAM_UNCONFIRMED)
            continue;
        assert_true(number >= last);
        last = number;
    }
}

void crowd_check(struct crowd *crowd)
{
    struct world *world = crowd->world;
    for (const struct simulated_device *end = world->devices; end != NULL; end = end->next) {
        check_uplink(end);
        check_order(crowd, end);
        if (end->wire == 1 && !crowd->inhabitants[end->id[5]].spoken_to)
            assert_int_equal(end->encrypted_heard, 0);
    }
    for (size_t index = 0; index < crowd->command_count; index++)
        check_command(crowd, index);
    expect_nothing_left(world);
}
