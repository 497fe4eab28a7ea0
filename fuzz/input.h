/* A fuzzer's input, read from its beginning; behind its end are zeros. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *bytes;
    size_t size;
};

static inline bool input_is_over(const struct input *input)
{
    return input->size == 0;
}

static inline uint8_t input_byte(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->bytes++;
}

static inline uint32_t input_number(struct input *input)
{
    uint32_t number = 0;
    for (int byte = 0; byte < 4; byte++)
        number = number << 8 | input_byte(input);
    return number;
}

#endif
