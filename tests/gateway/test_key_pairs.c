/* Key pairs made ahead (docs/security.md rules 5 and 6): each is handed out once, none is old, and none is made that
 * nobody asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/keys.h>
#include <usmp/start.h>

#include "gateway/key_pairs.h"

static unsigned drawn;
static bool memory_is_short;

void *__real_secret_memory_allocate(size_t size, int kind);
void *__wrap_secret_memory_allocate(size_t size, int kind);

void *__wrap_secret_memory_allocate(size_t size, int kind)
{
    return memory_is_short ? NULL : __real_secret_memory_allocate(size, kind);
}

/* The n-th private key begins with n. */
static void draw(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 0x5a, size);
    drawn++;
    memcpy(out, &drawn, sizeof drawn);
}

static unsigned number_of(const struct key_pair *pair)
{
    unsigned number;
    memcpy(&number, pair->private_key, sizeof number);
    return number;
}

static unsigned take(struct key_pairs *pairs, uint64_t now)
{
    struct key_pair pair;
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    key_pairs_take(pairs, draw, NULL, now, &pair);
    usmp_public_key(pair.private_key, public_key);
    assert_memory_equal(public_key, pair.public_key, sizeof public_key);
    return number_of(&pair);
}

static bool make(struct key_pairs *pairs, uint64_t now)
{
    return key_pairs_make(pairs, draw, NULL, now);
}

static struct key_pairs opened(void)
{
    struct key_pairs pairs;
    assert_null(usmp_start());
    assert_true(key_pairs_open(&pairs));
    drawn = 0;
    return pairs;
}

static void makes_one_on_the_spot_and_another_for_the_next(void **state)
{
    (void)state;
    struct key_pairs pairs = opened();
    assert_false(make(&pairs, 1));
    assert_int_equal(drawn, 0);
    assert_int_equal(take(&pairs, 1), 1);
    assert_false(make(&pairs, 1));
    assert_int_equal(drawn, 2);
    assert_false(make(&pairs, 1));
    assert_int_equal(drawn, 2);
    assert_int_equal(take(&pairs, 2), 2);
    assert_int_equal(drawn, 2);
    key_pairs_close(&pairs);
}

static void hands_each_out_once(void **state)
{
    (void)state;
    struct key_pairs pairs = opened();
    bool seen[1000] = {false};
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned count = 0; count < 30; count++) {
            unsigned number = take(&pairs, round);
            assert_in_range(number, 1, 999);
            assert_false(seen[number]);
            seen[number] = true;
        }
        while (make(&pairs, round))
            assert_in_range(pairs.count, 1, 30);
        assert_int_equal(pairs.count, 30);
    }
    key_pairs_close(&pairs);
}

static void makes_no_more_than_there_is_room_for(void **state)
{
    (void)state;
    struct key_pairs pairs = opened();
    for (unsigned count = 0; count < 2 * KEY_PAIRS_MAX; count++)
        take(&pairs, 1);
    while (make(&pairs, 1))
        ;
    assert_int_equal(pairs.count, KEY_PAIRS_MAX);
    assert_int_equal(drawn, 3 * KEY_PAIRS_MAX);
    assert_false(make(&pairs, 1));
    key_pairs_close(&pairs);
}

/* What is too old is wiped, not used. */
static void forgets_old_ones(void **state)
{
    (void)state;
    struct key_pairs pairs = opened();
    take(&pairs, 0);
    take(&pairs, 0);
    take(&pairs, 0);
    while (make(&pairs, 0))
        ;
    assert_int_equal(pairs.count, 3);
    assert_int_equal(take(&pairs, KEY_PAIRS_AGE - 1), 6);
    assert_int_equal(take(&pairs, KEY_PAIRS_AGE), 7);
    assert_int_equal(pairs.count, 0);
    const uint8_t zeros[KEY_PAIRS_MAX * sizeof(struct key_pair)] = {0};
    assert_memory_equal(pairs.pairs, zeros, sizeof zeros);

    /* Also while others are made. */
    while (make(&pairs, KEY_PAIRS_AGE))
        ;
    assert_int_equal(pairs.count, 2);
    assert_false(make(&pairs, 3 * (uint64_t)KEY_PAIRS_AGE));
    assert_int_equal(pairs.count, 0);
    assert_memory_equal(pairs.pairs, zeros, sizeof zeros);
    key_pairs_close(&pairs);
}

/* Those below the newest may be older than it. */
static void looks_at_the_age_of_each(void **state)
{
    (void)state;
    struct key_pairs pairs = opened();
    take(&pairs, 0);
    make(&pairs, 0);
    pairs.wanted = 1;
    make(&pairs, KEY_PAIRS_AGE / 2);
    assert_int_equal(pairs.count, 2);
    assert_int_equal(take(&pairs, KEY_PAIRS_AGE), 3);
    assert_int_equal(take(&pairs, KEY_PAIRS_AGE), 4);
    assert_int_equal(pairs.count, 0);
    key_pairs_close(&pairs);
}

static void says_when_memory_is_short(void **state)
{
    (void)state;
    struct key_pairs pairs = {0};
    memory_is_short = true;
    assert_false(key_pairs_open(&pairs));
    memory_is_short = false;
    key_pairs_close(&pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_one_on_the_spot_and_another_for_the_next),
        cmocka_unit_test(hands_each_out_once),
        cmocka_unit_test(makes_no_more_than_there_is_room_for),
        cmocka_unit_test(forgets_old_ones),
        cmocka_unit_test(looks_at_the_age_of_each),
        cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
