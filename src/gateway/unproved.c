#include "gateway/unproved.h"

#include <assert.h>
#include <stdlib.h>

#include "admission/admission.h"
#include "gateway/pending.h"
#include "gateway/shard_internal.h"

bool unproved_open(struct unproved *unproved)
{
    unproved->places = calloc(UNPROVED_MAX, sizeof(struct pending *));
    deadline_init(&unproved->crowded, DEADLINE_UNPROVED);
    return unproved->places != NULL;
}

void unproved_close(struct unproved *unproved)
{
    assert(unproved->count == 0);
    free(unproved->places);
    unproved->places = NULL;
}

static void wait_for_first(struct shard *shard)
{
    struct unproved *unproved = &shard->pending.unproved;
    bool crowded = unproved->count > UNPROVED_MAX / 2;
    deadlines_set(&shard->deadlines, &unproved->crowded,
                  crowded ? unproved->first->unproved.last_hello + UNPROVED_CROWDED_TIMEOUT : DEADLINE_NEVER);
}

static void enter_order(struct unproved *unproved, struct pending *pending)
{
    pending->unproved.before = unproved->last;
    pending->unproved.after = NULL;
    *(unproved->last != NULL ? &unproved->last->unproved.after : &unproved->first) = pending;
    unproved->last = pending;
}

static void leave_order(struct unproved *unproved, struct pending *pending)
{
    struct unproved_link *link = &pending->unproved;
    *(link->before != NULL ? &link->before->unproved.after : &unproved->first) = link->after;
    *(link->after != NULL ? &link->after->unproved.before : &unproved->last) = link->before;
}

static uint32_t draw(struct shard *shard, size_t limit)
{
    uint32_t number;
    shard->ports.random(shard->ports.context, &number, sizeof number);
    return number % (uint32_t)limit;
}

static struct pending *next_unproved(const struct shard *shard, struct pending *pending)
{
    while (pending != NULL && pending->proved) {
        pending = pending_next(shard, pending);
    }
    return pending;
}

size_t unproved_at(const struct shard *shard, const struct shard_path *path)
{
    size_t count = 0;
    for (const struct pending *pending = next_unproved(shard, pending_first(shard, path)); pending != NULL;
         pending = next_unproved(shard, pending_next(shard, pending))) {
        count++;
    }
    return count;
}

static struct pending *nth_at(const struct shard *shard, const struct shard_path *path, uint32_t number)
{
    struct pending *pending = next_unproved(shard, pending_first(shard, path));
    while (number-- > 0) {
        pending = next_unproved(shard, pending_next(shard, pending));
    }
    return pending;
}

void unproved_make_room(struct shard *shard, const struct shard_path *path, struct shard_time now)
{
    const struct unproved *unproved = &shard->pending.unproved;
    if (unproved_at(shard, path) >= UNPROVED_PATH_MAX) {
        pending_end(shard, nth_at(shard, path, draw(shard, UNPROVED_PATH_MAX)), PENDING_UNDECIDED, now);
    } else if (unproved->count == UNPROVED_MAX) {
        pending_end(shard, unproved->places[draw(shard, UNPROVED_MAX)], PENDING_UNDECIDED, now);
    }
}

unsigned unproved_booked(uint8_t version)
{
    return version == USMP_WIRE_2 ? UNPROVED_REPEATS : 0;
}

void unproved_enter(struct shard *shard, struct pending *pending, struct shard_time now)
{
    struct unproved *unproved = &shard->pending.unproved;
    assert(unproved->count < UNPROVED_MAX);
    pending->unproved = (struct unproved_link){.position = unproved->count,
                                               .last_hello = now.monotonic,
                                               .copies_left = UNPROVED_COPIES,
                                               .booked = (uint8_t)unproved_booked(pending->handshake.version)};
    unproved->places[unproved->count++] = pending;
    enter_order(unproved, pending);
    wait_for_first(shard);
}

void unproved_leave(struct shard *shard, struct pending *pending)
{
    struct unproved *unproved = &shard->pending.unproved;
    struct pending *last = unproved->places[--unproved->count];
    unproved->places[pending->unproved.position] = last;
    last->unproved.position = pending->unproved.position;
    leave_order(unproved, pending);
    admission_give_back_challenges(shard->admission, pending->unproved.booked);
    pending->unproved.booked = 0;
    wait_for_first(shard);
}

bool unproved_hello_again(struct shard *shard, struct pending *pending, struct shard_time now)
{
    struct unproved_link *link = &pending->unproved;
    if (link->copies_left == 0) {
        return false;
    }
    link->copies_left--;
    link->last_hello = now.monotonic;
    leave_order(&shard->pending.unproved, pending);
    enter_order(&shard->pending.unproved, pending);
    wait_for_first(shard);
    return true;
}

bool unproved_may_repeat(struct shard *shard, struct pending *pending, struct shard_time now)
{
    if (pending->unproved.booked > 0) {
        pending->unproved.booked--;
        return true;
    }
    return admission_take_challenges(shard->admission, 1, UNPROVED_SPARE, now.monotonic);
}

void unproved_due(struct shard *shard, struct shard_time now)
{
    const struct unproved *unproved = &shard->pending.unproved;
    while (unproved->crowded.due <= now.monotonic) {
        pending_expire(shard, unproved->first, now);
    }
}
