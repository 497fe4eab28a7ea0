/* libFuzzer's mutations for inputs made of steps (fuzz/steps.h): whole steps are taken out, doubled, moved, put in,
 * and the list of one input goes on with that of another; or the bytes of one step change; or anything does. */
#include <string.h>

#include "gateway/random_numbers.h"
#include "steps.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t max_out_size, unsigned int seed);

static size_t count_of(size_t size)
{
    return size < STEPS_SETUP_SIZE ? 0 : (size - STEPS_SETUP_SIZE) / STEPS_STEP_SIZE;
}

static size_t size_of(size_t count)
{
    return STEPS_SETUP_SIZE + count * STEPS_STEP_SIZE;
}

static uint8_t *step_at(uint8_t *data, size_t index)
{
    return data + size_of(index);
}

static size_t take_out(uint8_t *data, size_t count, struct random_numbers *numbers)
{
    size_t first = random_below(numbers, count);
    size_t gone = 1 + random_below(numbers, count - first < 8 ? count - first : 8);
    memmove(step_at(data, first), step_at(data, first + gone), (count - first - gone) * STEPS_STEP_SIZE);
    return size_of(count - gone);
}

/* A run of steps is put before another one: a copy of what is there, or, of one step, anything. */
static size_t put_in(uint8_t *data, size_t count, size_t max_size, struct random_numbers *numbers)
{
    uint8_t run[8 * STEPS_STEP_SIZE];
    size_t from = random_below(numbers, count);
    size_t steps = 1 + random_below(numbers, count - from < 8 ? count - from : 8);
    if (random_chance(numbers, 500))
        steps = 1;
    if (size_of(count + steps) > max_size)
        return size_of(count);
    memcpy(run, step_at(data, from), steps * STEPS_STEP_SIZE);
    if (steps == 1 && random_chance(numbers, 700))
        random_fill(numbers, run, STEPS_STEP_SIZE);
    size_t at = random_below(numbers, count + 1);
    memmove(step_at(data, at + steps), step_at(data, at), (count - at) * STEPS_STEP_SIZE);
    memcpy(step_at(data, at), run, steps * STEPS_STEP_SIZE);
    return size_of(count + steps);
}

static size_t exchange(uint8_t *data, size_t count, struct random_numbers *numbers)
{
    uint8_t kept[STEPS_STEP_SIZE];
    uint8_t *one = step_at(data, random_below(numbers, count));
    uint8_t *other = step_at(data, random_below(numbers, count));
    memcpy(kept, one, sizeof kept);
    memmove(one, other, sizeof kept);
    memcpy(other, kept, sizeof kept);
    return size_of(count);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    struct random_numbers numbers = {seed};
    size_t count = count_of(size);
    if (count == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    switch (random_below(&numbers, 8)) {
    case 0:
        return take_out(data, count, &numbers);
    case 1:
    case 2:
        return put_in(data, count, max_size, &numbers);
    case 3:
        return exchange(data, count, &numbers);
    case 4:
    case 5:
        (void)LLVMFuzzerMutate(step_at(data, random_below(&numbers, count)), STEPS_STEP_SIZE, STEPS_STEP_SIZE);
        return size;
    case 6:
        (void)LLVMFuzzerMutate(data, STEPS_SETUP_SIZE, STEPS_SETUP_SIZE);
        return size;
    default:
        return LLVMFuzzerMutate(data, size, max_size);
    }
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t max_out_size, unsigned int seed)
{
    struct random_numbers numbers = {seed};
    size_t head = size_of(random_below(&numbers, count_of(one_size) + 1));
    size_t count = count_of(other_size);
    size_t from = size_of(random_below(&numbers, count + 1));
    if (one_size < head || other_size < from || head > max_out_size)
        return 0;
    size_t tail = size_of(count) - from;
    if (head + tail > max_out_size)
        tail = (max_out_size - head) / STEPS_STEP_SIZE * STEPS_STEP_SIZE;
    memcpy(out, one, head);
    memcpy(out + head, other + from, tail);
    return head + tail;
}
