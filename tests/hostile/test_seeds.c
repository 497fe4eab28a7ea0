/* Ten thousand stories, each from a seed of its own; first those that found something once (kept-seeds).
 *
 *     test_hostile_seeds [--seeds N] [--first N] [--jobs N] [--progress]
 *     test_hostile_seeds --show SEED     one seed with its whole trace
 */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hostile/regime.h"
#include "hostile/runner.h"
#include "hostile/x25519_model.h"

#include <usmp/start.h>

#include "gateway/require.h"

/* Sanitizers make it three times slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEEDS 1000u
#else
#define SEEDS 10000u
#endif
#define KEPT_MAX 1000u

static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);
    if (end == text || *end != '\0') {
        fprintf(stderr, "%s is no number\n", text);
        exit(2);
    }
    return number;
}

/* One seed a line, and a word on what it found behind it. */
static uint64_t read_kept(uint64_t kept[KEPT_MAX])
{
    char line[512];
    uint64_t count = 0;
    FILE *file = fopen(HOSTILE_KEPT_SEEDS, "r");
    require(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        require(count < KEPT_MAX && sscanf(line, "%" SCNu64, &kept[count]) == 1);
        count++;
    }
    fclose(file);
    return count;
}

static void print_summary(const char *what, const struct runner_plan *plan, unsigned failures,
                          const struct story_outcome *outcome, double cpu)
{
    printf("%s: %" PRIu64 " seeds, %u failed, %.1f s of CPU; %" PRIu64 " sessions, %" PRIu64 " messages, %" PRIu64
           " datagrams of the gateway, %" PRIu64 " looks\n",
           what, plan->count, failures, cpu, outcome->sessions, outcome->messages, outcome->datagrams, outcome->checks);
}

static double cpu_of_children(void)
{
    struct rusage usage;
    require(getrusage(RUSAGE_CHILDREN, &usage) == 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static unsigned run(const char *what, const struct runner_plan *plan)
{
    struct story_outcome outcome = {0};
    double before = cpu_of_children();
    unsigned failures = runner_run(plan, &outcome);
    print_summary(what, plan, failures, &outcome, cpu_of_children() - before);
    return failures;
}

static unsigned default_jobs(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > 8 ? 8 : (unsigned)online;
}

static void show(uint64_t seed)
{
    runner_show(seed);
    exit(EXIT_SUCCESS);
}

int main(int argument_count, char **arguments)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 'n'}, {"first", required_argument, NULL, 'f'},
        {"jobs", required_argument, NULL, 'j'},  {"progress", no_argument, NULL, 'p'},
        {"show", required_argument, NULL, 's'},  {NULL, 0, NULL, 0}};
    static uint64_t kept[KEPT_MAX];
    struct runner_plan plan = {
        .first = 1, .count = SEEDS, .jobs = default_jobs(), .failures_max = 5, .program = arguments[0]};
    int option;
    require(usmp_start() == NULL);
    x25519_model_use();
    while ((option = getopt_long(argument_count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'n':
            plan.count = number_of(optarg);
            break;
        case 'f':
            plan.first = number_of(optarg);
            break;
        case 'j':
            plan.jobs = (unsigned)number_of(optarg);
            break;
        case 'p':
            plan.shows_progress = true;
            break;
        case 's':
            show(number_of(optarg));
            break;
        default:
            return 2;
        }
    }
    struct runner_plan replay = plan;
    replay.list = kept;
    replay.count = read_kept(kept);
    unsigned failures = replay.count == 0 ? 0 : run("kept", &replay);
    failures += run("new", &plan);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
