/* Whether two sets of times have one mean: Welch's t-test, for sets whose spread differs. */
#ifndef TESTS_TIMING_WELCH_H
#define TESTS_TIMING_WELCH_H

#include <math.h>
#include <stddef.h>

struct welch_set {
    size_t count;
    double mean;
    double squares; /* sum of the squared distances from the mean */
};

static inline void welch_add(struct welch_set *set, double value)
{
    set->count++;
    double distance = value - set->mean;
    set->mean += distance / (double)set->count;
    set->squares += distance * (value - set->mean);
}

static inline double welch_error(const struct welch_set *set)
{
    return set->squares / (double)(set->count - 1) / (double)set->count;
}

/* How many standard errors lie between the means; each set has at least two values. */
static inline double welch_t(const struct welch_set *one, const struct welch_set *other)
{
    return (one->mean - other->mean) / sqrt(welch_error(one) + welch_error(other));
}

#endif
