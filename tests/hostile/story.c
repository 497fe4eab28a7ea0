#include "hostile/story.h"

#include <string.h>

#include "gateway/expect.h"
#include "gateway/world_ports.h"

#define HEALING (200 * WORLD_SECOND) /* how long it may take at the end until everybody is well */

uint64_t story_below(struct story *story, uint64_t limit)
{
    return random_below(&story->numbers, limit);
}

bool story_chance(struct story *story, unsigned per_mille)
{
    return random_chance(&story->numbers, per_mille);
}

void story_add_actor(struct story *story, struct actor *actor)
{
    require(story->actor_count < STORY_ACTORS_MAX);
    story->actors[story->actor_count++] = actor;
}

struct resident *story_somebody(struct story *story)
{
    return &story->residents[story_below(story, story->resident_count)];
}

void story_switch_to(struct story *story, unsigned regime)
{
    story->operator.is_reloading = true;
    story->regime = regime_at(regime);
    char remark[64];
    snprintf(remark, sizeof remark, "reload: regime %u", regime);
    trace_remark(story->world->trace, remark, story->world->now.monotonic);
    struct memory_use before = memory_watch_use();
    world_reload_loaded(story->world, story->regime->config, story->regime->registry);
    witness_reloaded(&story->witness, before);
    story->operator.is_reloading = false;
}

void story_settles(struct story *story)
{
    operator_may_reload(story);
}

static size_t cut_at_random(struct world *world, size_t available)
{
    if (available == 0 || random_chance(&world->link.numbers, 700))
        return available;
    return 1 + random_below(&world->link.numbers, available);
}

static void choose_weather(struct story *story)
{
    struct weather *weather = &story->world->link.weather;
    if (story_chance(story, 150))
        return;
    weather->loss = (unsigned)story_below(story, 250);
    weather->doubling = (unsigned)story_below(story, 100);
    weather->delay_min = story_below(story, 30000);
    weather->delay_max = weather->delay_min + story_below(story, 250000);
}

static void choose_operator(struct story *story)
{
    struct operator* operator= & story->operator;
    for (unsigned index = 0; index < OPERATOR_REGIMES; index++)
        operator->regimes[index] =(unsigned) story_below(story, REGIME_COUNT);
    operator->reloads =(unsigned) story_below(story, 60);
    operator->storm = story_chance(story, 100) ? 300 : 0;
    operator->clock_steps = story_chance(story, 400) ? 30 : 0;
    operator->is_generous = story_chance(story, 500);
    story->regime = regime_at(operator->regimes[0]);
}

static void choose_attackers(struct story *story)
{
    if (story->is_flooded)
        forger_begin(story, 4000, 200);
    else if (story_chance(story, 600))
        forger_begin(story, 10000 + story_below(story, WORLD_SECOND / 2), 1 + (unsigned)story_below(story, 12));
    story->renegade_count = story_chance(story, 500) ? 1 + story_below(story, STORY_RENEGADES_MAX) : 0;
    for (unsigned index = 0; index < story->renegade_count; index++)
        renegade_begin(story, index);
    if (story_chance(story, 400))
        eavesdropper_begin(story);
}

static void choose_size(struct story *story)
{
    story->lifetime = 5 * WORLD_SECOND + story_below(story, 8 * WORLD_SECOND);
    story->resident_count = 3 + story_below(story, 18);
    if (story->seed % 100 == 0) {
        story->resident_count = 100 + story_below(story, STORY_RESIDENTS_MAX - 100);
        story->lifetime = 4 * WORLD_SECOND;
    }
    story->is_flooded = story->seed % 1000 == 500;
    if (story->is_flooded)
        story->lifetime = 2 * WORLD_SECOND;
}

static struct story *begin(uint64_t seed, struct trace *trace)
{
    struct story *story = calloc(1, sizeof *story);
    require(story != NULL);
    story->seed = seed;
    story->numbers = (struct random_numbers){.state = seed};
    choose_size(story);
    choose_operator(story);
    memory_watch_reset();
    story->world = world_open_loaded(story->regime->config, story->regime->registry, ~seed, memory_watch_around);
    require(story->world != NULL);
    witness_open(&story->witness, story);
    story->world->watch = &story->witness.watch;
    story->world->cut = cut_at_random;
    story->world->trace = trace;
    if (trace != NULL)
        trace->start = story->world->now.monotonic;
    choose_weather(story);
    operator_begin(story);
    for (unsigned number = 0; number < story->resident_count; number++)
        resident_settle_in(story, number);
    choose_attackers(story);
    return story;
}

static uint64_t next_step(const struct story *story)
{
    uint64_t next = UINT64_MAX;
    for (size_t index = 0; index < story->actor_count; index++) {
        if (story->actors[index]->next_step < next)
            next = story->actors[index]->next_step;
    }
    return next;
}

static void live(struct story *story, uint64_t microseconds)
{
    struct world *world = story->world;
    uint64_t end = world->now.monotonic + microseconds;
    while (world->now.monotonic < end) {
        uint64_t next = next_step(story);
        if (next > end)
            next = end;
        if (next > world->now.monotonic)
            world_run(world, next - world->now.monotonic);
        for (size_t index = 0; index < story->actor_count; index++) {
            if (story->actors[index]->next_step <= next)
                story->actors[index]->step(story, story->actors[index]);
        }
    }
}

static void make_peace(struct story *story)
{
    struct world *world = story->world;
    trace_remark(world->trace, "peace", world->now.monotonic);
    story->is_peaceful = true;
    story->operator.storm = 0;
    story->operator.actor.next_step = UINT64_MAX;
    eavesdropper_leave(story);
    for (size_t index = 0; index < story->renegade_count; index++)
        renegade_end(story, &story->renegades[index]);
    story->forger.spares_devices = true;
    story->forger.pace = 300000;
    story->forger.burst = 5;
    world->link.weather = (struct weather){0};
    world_give_credit(world, WORLD_CREDIT);
    for (size_t index = 0; index < story->resident_count; index++) {
        struct simulated_device *end = story->residents[index].end;
        story->residents[index].said_before_peace = story->residents[index].said;
        if (end == NULL)
            continue;
        end->refuses = false;
        if (end->full)
            world_unblock_stream(end);
    }
    story_switch_to(story, 0);
}

static const struct resident *first_unwell(const struct story *story, bool strict_ones_too)
{
    for (size_t index = 0; index < story->resident_count; index++) {
        const struct resident *resident = &story->residents[index];
        if (!resident_is_well(story, resident) && (resident->strict == NULL || strict_ones_too))
            return resident;
    }
    return NULL;
}

/* Strict ones of eras that take a second HELLO_RETRY for the end of their handshake connect over UDP only when nothing is
 * suspect any more, and nobody forges. */
static void heal(struct story *story, bool strict_ones_too)
{
    uint64_t until = story->world->now.monotonic + HEALING;
    const struct resident *unwell;
    while ((unwell = first_unwell(story, strict_ones_too)) != NULL && story->world->now.monotonic < until)
        live(story, WORLD_SECOND);
    WITNESS_REQUIRE(&story->witness, unwell == NULL, "device %u cannot connect and be heard in peace%s",
                    unwell == NULL ? 0 : unwell->number, strict_ones_too ? ", a strict one" : "");
}

/* Everybody can be reached, but for those to whom nothing may be sent. */
static void reach_everybody(struct story *story)
{
    size_t first = story->operator.command_count;
    for (unsigned device = 0; device < story->resident_count; device++)
        (void)operator_send(story, device, 20 * WORLD_SECOND);
    live(story, 6 * WORLD_SECOND);
    for (unsigned device = 0; device < story->resident_count; device++) {
        enum seam_outcome outcome = story->operator.commands[first + device]->outcome;
        WITNESS_REQUIRE(&story->witness,
                        regime_wire_of(device) == 1 || story->residents[device].strict != NULL ||
                            outcome == SEAM_SENT_BY_DEVICE || outcome == SEAM_SENT_BY_SOCKET,
                        "device %u is well, and a message to it ends with %d", device, (int)outcome);
    }
}

static void end_well(struct story *story)
{
    make_peace(story);
    heal(story, false);
    forger_end(story);
    heal(story, true);
    reach_everybody(story);
}

static void go_home(struct story *story)
{
    struct world *world = story->world;
    world_enter(world);
    shard_drain(world->shard, world->now);
    world_leave(world);
    world_run(world, 30 * WORLD_SECOND);
    for (size_t index = 0; index < story->resident_count; index++)
        resident_vanish(story, &story->residents[index]);
    operator_checks_commands(story);
    expect_nothing_left(world);
    WITNESS_REQUIRE(&story->witness, memory_watch_use().secrets <= story->witness.base.secrets,
                    "nobody is there, and %zu pieces of secret memory are", memory_watch_use().secrets);
}

struct story_outcome story_run(uint64_t seed, struct trace *trace)
{
    struct story *story = begin(seed, trace);
    live(story, story->lifetime);
    end_well(story);
    go_home(story);
    struct story_outcome outcome = {.checks = story->witness.checks,
                                    .messages = story->witness.messages,
                                    .sessions = story->witness.session_count,
                                    .datagrams = story->world->datagrams_sent};
    story->world->watch = NULL; /* the end of the shard is nothing to look at */
    world_close(story->world);
    operator_end(story);
    for (size_t index = 0; index < story->resident_count; index++)
        resident_move_out(&story->residents[index]);
    eavesdropper_end(story);
    witness_close(&story->witness);
    free(story);
    return outcome;
}
