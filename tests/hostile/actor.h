/* Whoever does something in a story by a clock of his own: residents, attackers, the operator. */
#ifndef TESTS_HOSTILE_ACTOR_H
#define TESTS_HOSTILE_ACTOR_H

#include <stdint.h>

struct story;

struct actor {
    uint64_t next_step; /* microseconds, monotonic; UINT64_MAX: he has nothing more to do */
    /* Does something and says when the next time is. */
    void (*step)(struct story *story, struct actor *actor);
};

#define ACTOR_OF(actor, type) ((type *)(void *)((char *)(actor)-offsetof(type, actor)))

#endif
