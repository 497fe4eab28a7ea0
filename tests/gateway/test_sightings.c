/* Which HELLOs were seen a moment ago (docs/protocol.md section 4 "Cookie"), against a plain model of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/random_numbers.h"
#include "gateway/sightings.h"

static bool memory_is_short;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_is_short ? NULL : __real_calloc(count, size);
}

static struct sightings opened(void)
{
    struct sightings sightings;
    assert_true(sightings_open(&sightings));
    return sightings;
}

static void knows_a_repeat_for_three_seconds(void **state)
{
    (void)state;
    struct sightings sightings = opened();
    assert_false(sightings_note(&sightings, 1, 100));
    assert_true(sightings_note(&sightings, 1, 100));
    assert_true(sightings_note(&sightings, 1, 100 + SIGHTINGS_AGE - 1));
    assert_true(sightings_note(&sightings, 1, 100 + 2 * SIGHTINGS_AGE - 2)); /* since it was seen last */
    assert_false(sightings_note(&sightings, 1, 100 + 3 * SIGHTINGS_AGE - 2));
    assert_true(sightings_note(&sightings, 1, 100 + 3 * SIGHTINGS_AGE - 1));
    assert_false(sightings_note(&sightings, 2, 100));
    sightings_close(&sightings);
}

/* Neither an empty table nor the beginning of time is a sighting. */
static void knows_nothing_at_first(void **state)
{
    (void)state;
    struct sightings sightings = opened();
    assert_false(sightings_note(&sightings, 0, 5));
    assert_true(sightings_note(&sightings, 0, 6));
    assert_false(sightings_note(&sightings, 7, 0));
    assert_true(sightings_note(&sightings, 7, 1));
    sightings_close(&sightings);
}

static void one_that_is_overwritten_counts_as_first_sight_again(void **state)
{
    (void)state;
    struct sightings sightings = opened();
    assert_false(sightings_note(&sightings, 3, 10));
    assert_false(sightings_note(&sightings, 3 + SIGHTINGS_SIZE, 11));
    assert_false(sightings_note(&sightings, 3, 12));
    assert_true(sightings_note(&sightings, 3, 13));
    sightings_close(&sightings);
}

static void says_what_a_list_of_all_sightings_says(void **state)
{
    (void)state;
    static struct {
        uint64_t fingerprint;
        uint64_t seen;
        bool used;
    } model[SIGHTINGS_SIZE];
    struct sightings sightings = opened();
    struct random_numbers numbers = {3};
    uint64_t now = 1;
    for (unsigned step = 0; step < 200000; step++) {
        now += random_below(&numbers, 100000);
        /* Few places, so that each is seen again in time, too late, and by another. */
        uint64_t fingerprint = random_below(&numbers, 16) + random_below(&numbers, 3) * SIGHTINGS_SIZE;
        size_t place = fingerprint % SIGHTINGS_SIZE;
        bool expected =
            model[place].used && model[place].fingerprint == fingerprint && now - model[place].seen < SIGHTINGS_AGE;
        assert_int_equal(sightings_note(&sightings, fingerprint, now), expected);
        model[place].used = true;
        model[place].fingerprint = fingerprint;
        model[place].seen = now;
    }
    sightings_close(&sightings);
}

static void says_when_memory_is_short(void **state)
{
    (void)state;
    struct sightings sightings = {0};
    memory_is_short = true;
    assert_false(sightings_open(&sightings));
    memory_is_short = false;
    sightings_close(&sightings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_a_repeat_for_three_seconds),
        cmocka_unit_test(knows_nothing_at_first),
        cmocka_unit_test(one_that_is_overwritten_counts_as_first_sight_again),
        cmocka_unit_test(says_what_a_list_of_all_sightings_says),
        cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
