/* Two hundred crowds of some twenty devices on bad links, each from a seed of its own.
 *
 *     test_gateway_crowd FIRST COUNT     other seeds, and which one failed
 *     test_gateway_crowd SEED            one seed, with its trace
 */
#include "gateway/crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/trace.h"

#define SEEDS 200u
#define LIFETIME (60 * WORLD_SECOND)

static uint64_t first_seed = 1;
static uint64_t seed_count = SEEDS;
static struct trace *trace;
static uint64_t seed_now; /* 0: none is under way */

static void live_through(const struct config *config, struct registry *registry, uint64_t seed)
{
    seed_now = seed;
    struct crowd *crowd = crowd_open(config, registry, seed);
    if (trace != NULL)
        trace->start = crowd->world->now.monotonic;
    crowd->world->trace = trace;
    crowd_live(crowd, LIFETIME);
    crowd_go_home(crowd);
    crowd_check(crowd);
    crowd_close(crowd);
}

static void nothing_is_lost_and_nothing_left(void **state)
{
    (void)state;
    struct registry *registry;
    struct config *config = crowd_load(&registry);
    for (uint64_t seed = first_seed; seed < first_seed + seed_count; seed++)
        live_through(config, registry, seed);
    seed_now = 0;
    registry_release(registry);
    config_free(config);
}

/* The same seed gives the same life, down to the last datagram. */
static void a_seed_says_it_all(void **state)
{
    (void)state;
    struct registry *registry;
    struct config *config = crowd_load(&registry);
    uint64_t datagrams[2];
    uint64_t bytes[2];
    size_t events[2];
    for (unsigned time = 0; time < 2; time++) {
        struct crowd *crowd = crowd_open(config, registry, 12345);
        crowd_live(crowd, LIFETIME);
        datagrams[time] = crowd->world->datagrams_sent;
        bytes[time] = crowd->world->bytes_sent;
        events[time] = crowd->world->event_count;
        crowd_go_home(crowd);
        crowd_close(crowd);
    }
    assert_int_equal(datagrams[0], datagrams[1]);
    assert_int_equal(bytes[0], bytes[1]);
    assert_int_equal(events[0], events[1]);
    assert_in_range(events[0], 100, 100000);
    registry_release(registry);
    config_free(config);
}

static int tell_seed(void **state)
{
    (void)state;
    if (seed_now != 0)
        fprintf(stderr, "it was seed %llu\n", (unsigned long long)seed_now);
    if (trace != NULL && trace->text != NULL)
        fputs(trace->text, stdout);
    return 0;
}

int main(int argument_count, char **arguments)
{
    static struct trace full_trace;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_and_nothing_left),
        cmocka_unit_test(a_seed_says_it_all),
    };
    if (argument_count > 1) {
        first_seed = strtoull(arguments[1], NULL, 10);
        seed_count = argument_count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
        trace = argument_count > 2 ? NULL : &full_trace;
    }
    int failed = cmocka_run_group_tests(tests, NULL, tell_seed);
    trace_free(&full_trace);
    return failed;
}
