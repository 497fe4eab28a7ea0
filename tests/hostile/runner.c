#define _GNU_SOURCE
#include "hostile/runner.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hostile/trace_window.h"

#define NO_SEED UINT64_MAX
#define PROGRESS_AFTER 10 /* seconds */
#define SEED_CPU_MAX 60   /* seconds; what takes longer stands still */

/* What the processes share. */
struct shared {
    uint64_t taken; /* seeds of the plan that somebody took */
    uint64_t finished;
    uint64_t current[RUNNER_JOBS_MAX]; /* seed, NO_SEED between two */
    struct story_outcome outcome;
};

static struct shared *share(void)
{
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(shared != MAP_FAILED);
    return shared;
}

static void add(struct story_outcome *sum, const struct story_outcome *one)
{
    __atomic_fetch_add(&sum->checks, one->checks, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sum->messages, one->messages, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sum->sessions, one->sessions, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sum->datagrams, one->datagrams, __ATOMIC_RELAXED);
}

static uint64_t seed_at(const struct runner_plan *plan, uint64_t index)
{
    return plan->list == NULL ? plan->first + index : plan->list[index];
}

/* A story that stands still is ended by SIGPROF. */
static void limit_cpu(void)
{
    const struct itimerval limit = {.it_value = {.tv_sec = SEED_CPU_MAX}};
    require(setitimer(ITIMER_PROF, &limit, NULL) == 0);
}

/* Secret memory is not inherited by a child, so each loads what it needs. */
static void work(const struct runner_plan *plan, struct shared *shared, unsigned job)
{
    regimes_load();
    for (;;) {
        uint64_t index = __atomic_fetch_add(&shared->taken, 1, __ATOMIC_RELAXED);
        if (index >= plan->count)
            break;
        shared->current[job] = seed_at(plan, index);
        limit_cpu();
        struct story_outcome outcome = story_run(shared->current[job], NULL);
        shared->current[job] = NO_SEED;
        add(&shared->outcome, &outcome);
        __atomic_fetch_add(&shared->finished, 1, __ATOMIC_RELAXED);
    }
    regimes_free();
}

static pid_t start_job(const struct runner_plan *plan, struct shared *shared, unsigned job)
{
    fflush(NULL);
    shared->current[job] = NO_SEED;
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        work(plan, shared, job);
        exit(EXIT_SUCCESS);
    }
    return child;
}

static void show_again(const struct runner_plan *plan, uint64_t seed)
{
    fprintf(stderr, "\nseed %" PRIu64 " failed; here is what happened. Again, with all of it: %s --show %" PRIu64 "\n",
            seed, plan->program, seed);
    fflush(NULL);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        static struct trace trace;
        regimes_load();
        trace_window_keep(&trace);
        limit_cpu();
        (void)story_run(seed, &trace);
        fprintf(stderr, "seed %" PRIu64 " did not fail again: it is not the seed alone\n", seed);
        _exit(EXIT_SUCCESS);
    }
    require(waitpid(child, NULL, 0) == child);
}

static void show_progress(const struct runner_plan *plan, const struct shared *shared, const struct timespec *begun)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t seconds = (uint64_t)(now.tv_sec - begun->tv_sec) + 1;
    uint64_t finished = __atomic_load_n(&shared->finished, __ATOMIC_RELAXED);
    uint64_t left = finished == 0 ? 0 : (plan->count - finished) * seconds / finished;
    fprintf(stderr, "%" PRIu64 " of %" PRIu64 " seeds in %" PRIu64 " s, about %" PRIu64 " s to go\n", finished,
            plan->count, seconds, left);
}

static unsigned job_of(const pid_t *jobs, unsigned count, pid_t child)
{
    unsigned job = 0;
    while (job < count && jobs[job] != child)
        job++;
    return job;
}

static unsigned watch(const struct runner_plan *plan, struct shared *shared, pid_t *jobs)
{
    struct timespec begun;
    unsigned failures = 0;
    unsigned alive = plan->jobs;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    while (alive > 0) {
        int status;
        if (plan->shows_progress)
            alarm(PROGRESS_AFTER);
        pid_t child = wait(&status);
        if (child < 0) {
            show_progress(plan, shared, &begun);
            continue;
        }
        unsigned job = job_of(jobs, plan->jobs, child);
        alive--;
        if (job == plan->jobs || (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS))
            continue;
        failures++;
        require(shared->current[job] != NO_SEED);
        show_again(plan, shared->current[job]);
        if (failures < plan->failures_max) {
            jobs[job] = start_job(plan, shared, job);
            alive++;
        } else {
            shared->taken = plan->count;
        }
    }
    alarm(0);
    return failures;
}

static void wake_up(int signal_number)
{
    (void)signal_number;
}

unsigned runner_run(const struct runner_plan *plan, struct story_outcome *outcome)
{
    pid_t jobs[RUNNER_JOBS_MAX];
    struct shared *shared = share();
    const struct sigaction alarms = {.sa_handler = wake_up}; /* interrupts the wait */
    require(plan->jobs >= 1 && plan->jobs <= RUNNER_JOBS_MAX);
    require(sigaction(SIGALRM, &alarms, NULL) == 0);
    for (unsigned job = 0; job < plan->jobs; job++)
        jobs[job] = start_job(plan, shared, job);
    unsigned failures = watch(plan, shared, jobs);
    add(outcome, &shared->outcome);
    munmap(shared, sizeof *shared);
    return failures;
}

void runner_show(uint64_t seed)
{
    static struct trace trace;
    regimes_load();
    trace_window_keep_all(&trace);
    struct story_outcome outcome = story_run(seed, &trace);
    trace_window_print();
    printf("seed %" PRIu64 " passes: %" PRIu64 " sessions, %" PRIu64 " messages, %" PRIu64 " datagrams, %" PRIu64
           " looks\n",
           seed, outcome.sessions, outcome.messages, outcome.datagrams, outcome.checks);
    trace_free(&trace);
    regimes_free();
}
