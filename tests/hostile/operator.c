#include "hostile/operator.h"

#include <string.h>

#include "hostile/story.h"

#define QUEUE UINT64_C(60000) /* bytes of credit, all in all */
#define COMMANDS_MAX 4096u
#define HOUR INT64_C(3600000000)

static void give_back(struct story *story)
{
    struct operator* operator= & story->operator;
    uint64_t spent = story->world->credit_spent[0] - operator->credit_kept;
    if (spent == 0 || story_chance(story, 300))
        return;
    uint64_t given = operator->is_generous || story_chance(story, 500) ? spent : story_below(story, spent + 1);
    operator->credit_kept += given;
    world_give_credit(story->world, given);
}

size_t operator_send(struct story *story, unsigned device, uint64_t time_to_live)
{
    struct operator* operator= & story->operator;
    size_t number = operator->command_count++;
    require(number < COMMANDS_MAX);
    uint8_t payload[USMP_MESSAGE_MAX];
    char id[18];
    snprintf(id, sizeof id, "02000000%04x", device);
    memset(payload, '.', sizeof payload);
    int used = snprintf((char *)payload, sizeof payload, "command %zu.", number);
    require(used > 0);
    size_t size = story_chance(story, 60) ? 64 + story_below(story, sizeof payload - 63) : (size_t)used;
    operator->commands[number] = world_command(story->world, SEAM_SEND, id, payload, size, time_to_live);
    world_submit(story->world, operator->commands[number]);
    return number;
}

static void close_session(struct story *story, unsigned device)
{
    struct operator* operator= & story->operator;
    size_t number = operator->command_count++;
    require(number < COMMANDS_MAX);
    char id[18];
    snprintf(id, sizeof id, "02000000%04x", device);
    operator->commands[number] = world_command(story->world, SEAM_CLOSE, id, NULL, 0, WORLD_SECOND);
    world_submit(story->world, operator->commands[number]);
}

static unsigned any_device(struct story *story)
{
    if (story->renegade_count > 0 && story_chance(story, 100))
        return STORY_RESIDENTS_MAX + (unsigned)story_below(story, story->renegade_count);
    return (unsigned)story_below(story, story->resident_count);
}

static void command(struct story *story)
{
    if (story->operator.command_count + 64> COMMANDS_MAX)
        return;
    if (story_chance(story, 30))
        close_session(story, any_device(story));
    else
        (void)operator_send(story, any_device(story), 100000 + story_below(story, 20 * WORLD_SECOND));
}

/* The wall clock is set, a little or a lot, forth and back. */
static void set_clock(struct story *story)
{
    static const int64_t steps[] = {1000000, 60000000, HOUR, 24 * HOUR, 100 * HOUR};
    int64_t step = steps[story_below(story, sizeof steps / sizeof *steps)];
    story->world->now.wall += story_chance(story, 500) ? step : -step;
    trace_remark(story->world->trace, "the wall clock is set", story->world->now.monotonic);
}

void operator_may_reload(struct story *story)
{
    struct operator* operator= & story->operator;
    if (operator->is_reloading || operator->storm == 0 || !story_chance(story, operator->storm))
        return;
    story_switch_to(story, operator->regimes[story_below(story, OPERATOR_REGIMES)]);
}

static void step(struct story *story, struct actor *actor)
{
    struct operator* operator= ACTOR_OF(actor, struct operator);
    actor->next_step = story->world->now.monotonic + story_below(story, WORLD_SECOND / 2);
    give_back(story);
    for (uint64_t count = story_below(story, 3); count > 0; count--)
        command(story);
    if (story_chance(story, operator->reloads))
        story_switch_to(story, operator->regimes[story_below(story, OPERATOR_REGIMES)]);
    if (story_chance(story, operator->clock_steps))
        set_clock(story);
    while (story_chance(story, 300) && shard_idle(story->world->shard, story->world->now))
        ;
}

void operator_begin(struct story *story)
{
    struct operator* operator= & story->operator;
    operator->actor.step = step;
    operator->commands = calloc(COMMANDS_MAX, sizeof(struct seam_command *));
    operator->heard = calloc(COMMANDS_MAX, sizeof *operator->heard);
    operator->last_heard = calloc(REGIME_DEVICES, sizeof *operator->last_heard);
    require(operator->commands != NULL && operator->heard != NULL && operator->last_heard != NULL);
    world_give_credit(story->world, story->resident_count > 30 ? 20 * QUEUE : QUEUE / (1 + story_below(story, 8)));
    story_add_actor(story, &operator->actor);
}

/* When the world is closed. */
void operator_end(struct story *story)
{
    struct operator* operator= & story->operator;
    for (size_t index = 0; index < operator->command_count; index++)
        world_command_free(operator->commands[index]);
    free(operator->commands);
    free(operator->heard);
    free(operator->last_heard);
}

/* Whether somebody on the way could make a device on wire 1 hear itself: it has one key for both directions, so what it
 * hears says nothing. */
static bool may_hear_itself(const struct story *story, const struct resident *resident)
{
    return story->eavesdropper.is_there && regime_wire_of(resident->number) == 1;
}

void operator_was_heard(struct story *story, const struct resident *resident, const uint8_t *bytes, size_t size)
{
    struct operator* operator= & story->operator;
    char text[32] = {0};
    size_t number = 0;
    memcpy(text, bytes, size < sizeof text - 1 ? size : sizeof text - 1);
    if (may_hear_itself(story, resident) || resident->strict != NULL)
        return;
    bool is_command = sscanf(text, "command %zu.", &number) == 1 && number < operator->command_count;
    WITNESS_REQUIRE(&story->witness, is_command, "device %u hears what nobody sent: \"%s\"", resident->number, text);
    const struct seam_command *command = operator->commands[number];
    uint8_t id[USMP_DEVICE_ID_SIZE];
    regime_device_id(resident->number, id);
    WITNESS_REQUIRE(&story->witness, size == command->size && memcmp(command->device, id, sizeof id) == 0,
                    "device %u hears command %zu, which is another device's or another size", resident->number, number);
    operator->heard[number]++;
    /* One that was given up may have had a copy on its way. */
    if (command->outcome == SEAM_UNCONFIRMED)
        return;
    WITNESS_REQUIRE(&story->witness, number + 1 >= operator->last_heard[resident->number],
                    "device %u hears command %zu after a later one", resident->number, number);
    operator->last_heard[resident->number] = number + 1;
}

static void check_command(struct story *story, size_t number)
{
    const struct operator* operator= & story->operator;
    const struct seam_command *command = operator->commands[number];
    unsigned device = regime_device_number(command->device);
    if (device >= story->resident_count || command->operation == SEAM_CLOSE)
        return;
    const struct resident *resident = &story->residents[device];
    bool is_forged = regime_wire_of(device) == 1 && (story->eavesdropper.is_there || story->forger.is_there);
    unsigned most = 1 + resident->rekeys;
    unsigned least = 0;
    switch (command->outcome) {
    case SEAM_SENT_BY_DEVICE:
        least = is_forged ? 0 : 1; /* anybody can say so of wire 1: its UTACKs have no MAC */
        break;
    case SEAM_SENT_BY_SOCKET:
        most = 1;
        break;
    case SEAM_UNCONFIRMED:
        break;
    default:
        most = 0;
        break;
    }
    if (may_hear_itself(story, resident) || resident->strict != NULL)
        return;
    WITNESS_REQUIRE(&story->witness, operator->heard[number] >= least && operator->heard[number] <= most,
                    "device %u heard command %zu %u times, whose outcome is %d", device,
                    number, operator->heard[number], (int)command->outcome);
}

void operator_checks_commands(struct story *story)
{
    WITNESS_REQUIRE(&story->witness, story->world->finished_count == story->operator.command_count,
                    "%zu of %zu commands came back", story->world->finished_count, story->operator.command_count);
    for (size_t number = 0; number < story->operator.command_count; number++)
        check_command(story, number);
}
