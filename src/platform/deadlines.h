/* What is due when: one heap for everything that waits for a time in one place, such as a shard.
 *
 * Each object has a struct deadline as a member. A place in the heap is reserved when the object is made
 * (deadlines_reserve, which may fail), so setting a time later never fails. Setting costs O(log n); an object that
 * wants to be asked later than it said need not tell: it is asked too early once and says the new time then. That is
 * how the watchdog of a busy session costs nothing a message.
 */
#ifndef PLATFORM_DEADLINES_H
#define PLATFORM_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEADLINE_NEVER UINT64_MAX

struct deadline {
    uint64_t due;    /* microseconds, monotonic; DEADLINE_NEVER: not in the heap */
    size_t position; /* in the heap, if it is in it */
    uint8_t kind;    /* the owner's, to know whose member it is */
};

struct deadlines {
    struct deadline **heap;
    size_t count;
    size_t reserved;
    size_t capacity;
};

/* One more object may be in the heap. False: memory is short. */
bool deadlines_reserve(struct deadlines *deadlines) __attribute__((warn_unused_result));
/* The object, which is not in the heap any more, goes. */
void deadlines_release(struct deadlines *deadlines);

void deadline_init(struct deadline *deadline, uint8_t kind);
/* Puts it in, moves it, or takes it out (DEADLINE_NEVER). */
void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, uint64_t due);

/* The one that is due first, or NULL. */
struct deadline *deadlines_first(const struct deadlines *deadlines);

/* Frees the heap; the objects are not touched. Also on an all-zero struct. */
void deadlines_close(struct deadlines *deadlines);

#endif
