#include "platform/deadlines.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64u

bool deadlines_reserve(struct deadlines *deadlines)
{
    if (deadlines->reserved == deadlines->capacity) {
        size_t capacity = deadlines->capacity == 0 ? FIRST_CAPACITY : deadlines->capacity * 2;
        struct deadline **heap = realloc(deadlines->heap, capacity * sizeof(struct deadline *));
        if (heap == NULL) {
            return false;
        }
        deadlines->heap = heap;
        deadlines->capacity = capacity;
    }
    deadlines->reserved++;
    return true;
}

void deadlines_release(struct deadlines *deadlines)
{
    assert(deadlines->reserved > deadlines->count);
    deadlines->reserved--;
}

void deadline_init(struct deadline *deadline, uint8_t kind)
{
    *deadline = (struct deadline){.due = DEADLINE_NEVER, .kind = kind};
}

static void place(struct deadlines *deadlines, struct deadline *deadline, size_t position)
{
    deadlines->heap[position] = deadline;
    deadline->position = position;
}

static void rise(struct deadlines *deadlines, struct deadline *deadline, size_t position)
{
    while (position > 0) {
        size_t parent = (position - 1) / 2;
        if (deadlines->heap[parent]->due <= deadline->due) {
            break;
        }
        place(deadlines, deadlines->heap[parent], position);
        position = parent;
    }
    place(deadlines, deadline, position);
}

static void sink(struct deadlines *deadlines, struct deadline *deadline, size_t position)
{
    for (;;) {
        size_t child = position * 2 + 1;
        if (child >= deadlines->count) {
            break;
        }
        if (child + 1 < deadlines->count && deadlines->heap[child + 1]->due < deadlines->heap[child]->due) {
            child++;
        }
        if (deadlines->heap[child]->due >= deadline->due) {
            break;
        }
        place(deadlines, deadlines->heap[child], position);
        position = child;
    }
    place(deadlines, deadline, position);
}

static void take_out(struct deadlines *deadlines, struct deadline *deadline)
{
    struct deadline *last = deadlines->heap[--deadlines->count];
    if (last == deadline) {
        return;
    }
    if (last->due < deadline->due) {
        rise(deadlines, last, deadline->position);
    } else {
        sink(deadlines, last, deadline->position);
    }
}

void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, uint64_t due)
{
    uint64_t before = deadline->due;
    if (due == before) {
        return;
    }
    if (due == DEADLINE_NEVER) {
        take_out(deadlines, deadline);
        deadline->due = due;
    } else if (before == DEADLINE_NEVER) {
        assert(deadlines->count < deadlines->reserved);
        deadline->due = due;
        rise(deadlines, deadline, deadlines->count++);
    } else {
        deadline->due = due;
        if (due < before) {
            rise(deadlines, deadline, deadline->position);
        } else {
            sink(deadlines, deadline, deadline->position);
        }
    }
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
    return deadlines->count == 0 ? NULL : deadlines->heap[0];
}

void deadlines_close(struct deadlines *deadlines)
{
    free(deadlines->heap);
    *deadlines = (struct deadlines){0};
}
