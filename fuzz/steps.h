/* An input that is a list of steps: a setup of four bytes, then steps of four bytes each.
 *
 * All steps have one size, so that what a mutation takes away, adds or copies leaves the others what they were. With
 * libFuzzer fuzz/step_mutator.c does so; a rest that is no whole step is not looked at.
 */
#ifndef FUZZ_STEPS_H
#define FUZZ_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEPS_SETUP_SIZE 4u
#define STEPS_STEP_SIZE 4u
#define STEPS_MAX 300u

struct step {
    uint8_t what;
    uint8_t a;
    uint8_t b;
    uint8_t c;
};

struct steps {
    const uint8_t *bytes;
    size_t left; /* whole steps */
};

/* `setup` is filled up with zeros. */
static inline struct steps steps_begin(const uint8_t *bytes, size_t size, uint8_t setup[STEPS_SETUP_SIZE])
{
    for (size_t index = 0; index < STEPS_SETUP_SIZE; index++)
        setup[index] = index < size ? bytes[index] : 0;
    if (size < STEPS_SETUP_SIZE)
        return (struct steps){NULL, 0};
    size_t count = (size - STEPS_SETUP_SIZE) / STEPS_STEP_SIZE;
    return (struct steps){bytes + STEPS_SETUP_SIZE, count < STEPS_MAX ? count : STEPS_MAX};
}

/* False: there is none left. */
static inline bool steps_next(struct steps *steps, struct step *step)
{
    if (steps->left == 0)
        return false;
    *step = (struct step){steps->bytes[0], steps->bytes[1], steps->bytes[2], steps->bytes[3]};
    steps->bytes += STEPS_STEP_SIZE;
    steps->left--;
    return true;
}

#endif
