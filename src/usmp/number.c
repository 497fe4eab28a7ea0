#include "usmp/number.h"

#include <stddef.h>

#define MICROSECONDS 1000000u

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* The digits that `text` begins with, or NULL when there are none or they make more than `most`. Returns what follows. */
static const char *read_digits(const char *text, uint64_t most, uint64_t *value)
{
    if (!is_digit(*text))
        return NULL;
    uint64_t sum = 0;
    for (; is_digit(*text); text++) {
        sum = 10 * sum + (uint64_t)(*text - '0');
        if (sum > most)
            return NULL;
    }
    *value = sum;
    return text;
}

static const char *read_fraction(const char *text, uint64_t *value)
{
    if (!is_digit(*text))
        return NULL;
    uint64_t sum = 0;
    for (uint64_t place = MICROSECONDS / 10; is_digit(*text); text++) {
        sum += place * (uint64_t)(*text - '0');
        place /= 10;
    }
    *value = sum;
    return text;
}

bool number_parse_seconds(const char *text, uint64_t *value)
{
    uint64_t whole;
    uint64_t fraction = 0;
    const char *rest = read_digits(text, NUMBER_SECONDS_MAX, &whole);
    if (rest != NULL && *rest == '.')
        rest = read_fraction(rest + 1, &fraction);
    if (rest == NULL || *rest != '\0')
        return false;
    *value = whole * MICROSECONDS + fraction;
    return true;
}

bool number_parse_count(const char *text, uint32_t least, uint32_t most, uint32_t *value)
{
    uint64_t count;
    const char *rest = read_digits(text, most, &count);
    if (rest == NULL || *rest != '\0' || count < least)
        return false;
    *value = (uint32_t)count;
    return true;
}
