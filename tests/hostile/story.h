/* What happens to a gateway under one seed: residents and attackers on a link with weather, an operator who reloads,
 * and a witness who looks at every step. Everything follows from the seed.
 *
 * Most stories are small: three to twenty residents, up to three kinds of attackers, some twenty seconds. Every
 * hundredth has hundreds of residents, every thousandth a flood that fills the gateway's tables.
 *
 * A story ends well: the weather clears, whoever attacks devices goes home (whoever forges goes on), the operator lets
 * everybody in. Then everybody has to be able to connect, to say something and to hear something.
 */
#ifndef TESTS_HOSTILE_STORY_H
#define TESTS_HOSTILE_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/trace.h"
#include "gateway/world.h"
#include "hostile/actor.h"
#include "hostile/eavesdropper.h"
#include "hostile/forger.h"
#include "hostile/operator.h"
#include "hostile/regime.h"
#include "hostile/renegade.h"
#include "hostile/resident.h"
#include "hostile/witness.h"

#define STORY_RESIDENTS_MAX 320u
#define STORY_RENEGADES_MAX 4u /* the devices from STORY_RESIDENTS_MAX on */
#define STORY_ACTORS_MAX (STORY_RESIDENTS_MAX + STORY_RENEGADES_MAX + 8)

struct story {
    uint64_t seed;
    struct world *world;
    struct random_numbers numbers;
    const struct regime *regime; /* in force */
    struct witness witness;
    struct resident residents[STORY_RESIDENTS_MAX];
    size_t resident_count;
    struct renegade renegades[STORY_RENEGADES_MAX];
    size_t renegade_count;
    struct forger forger;
    struct eavesdropper eavesdropper;
    struct operator operator;
    struct actor *actors[STORY_ACTORS_MAX];
    size_t actor_count;
    uint64_t lifetime; /* microseconds */
    bool is_flooded;
    bool is_peaceful; /* nobody but the forger does anything wrong any more, and residents keep still */
};

/* What became of it, for a summary. */
struct story_outcome {
    uint64_t checks;   /* how often the witness looked */
    uint64_t messages; /* told */
    uint64_t sessions;
    uint64_t datagrams; /* of the gateway */
};

/* Runs a seed from beginning to end. `trace` may be NULL. Whoever calls it has loaded the regimes. */
struct story_outcome story_run(uint64_t seed, struct trace *trace);

/* For those who live in it. */
uint64_t story_below(struct story *story, uint64_t limit);
bool story_chance(struct story *story, unsigned per_mille);
void story_add_actor(struct story *story, struct actor *actor);
void story_switch_to(struct story *story, unsigned regime);
/* The shard has done one thing: the operator may do another now. */
void story_settles(struct story *story);
/* Any resident. */
struct resident *story_somebody(struct story *story);

#endif
