/* Runs the stories of many seeds, in several processes, and shows of those that fail what happened.
 *
 * A process that dies takes one seed with it: that seed is run again, alone and with its trace, whose interesting part
 * is printed with the command that repeats it.
 */
#ifndef TESTS_HOSTILE_RUNNER_H
#define TESTS_HOSTILE_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "hostile/story.h"

#define RUNNER_JOBS_MAX 64u

struct runner_plan {
    const uint64_t *list; /* these seeds; NULL: those from `first` on */
    uint64_t first;
    uint64_t count;
    unsigned jobs;
    unsigned failures_max; /* after so many it ends */
    bool shows_progress;   /* on standard error, now and then */
    const char *program;   /* how to call it again */
};

/* Returns how many seeds failed; the sums of the others are added to `outcome`. */
unsigned runner_run(const struct runner_plan *plan, struct story_outcome *outcome);

/* One seed in this process, with its whole trace on standard output; ends the process where it fails. */
void runner_show(uint64_t seed);

#endif
