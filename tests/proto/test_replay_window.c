#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/replay_window.h>

#include "platform/child.h"

static struct usmp_replay_window fresh(void)
{
    struct usmp_replay_window window = {.bitmap = 77, .highest = 77};
    usmp_replay_window_init(&window);
    return window;
}

#define assert_verdict(window, seq, verdict) assert_int_equal(usmp_replay_window_check((window), (seq)), (verdict))

static void test_seq_0_once(void **state)
{
    (void)state;
    struct usmp_replay_window window = fresh();
    assert_verdict(&window, 0, USMP_REPLAY_NEW);
    usmp_replay_window_accept(&window, 0);
    assert_verdict(&window, 0, USMP_REPLAY_DUPLICATE);
    assert_verdict(&window, 1, USMP_REPLAY_NEW);
}

/* The first seq may be anything, and what is below it may still come. */
static void test_a_first_seq_that_is_not_0(void **state)
{
    (void)state;
    struct usmp_replay_window window = fresh();
    usmp_replay_window_accept(&window, 63);
    for (uint32_t seq = 0; seq < 63; seq++)
        assert_verdict(&window, seq, USMP_REPLAY_NEW);
    assert_verdict(&window, 63, USMP_REPLAY_DUPLICATE);

    window = fresh();
    usmp_replay_window_accept(&window, 64);
    assert_verdict(&window, 0, USMP_REPLAY_TOO_OLD);
    assert_verdict(&window, 1, USMP_REPLAY_NEW);

    window = fresh();
    usmp_replay_window_accept(&window, UINT32_MAX - 1);
    assert_verdict(&window, 0, USMP_REPLAY_TOO_OLD);
    assert_verdict(&window, UINT32_MAX - 65, USMP_REPLAY_TOO_OLD);
    assert_verdict(&window, UINT32_MAX - 64, USMP_REPLAY_NEW);
}

static void test_the_edges_of_the_window(void **state)
{
    (void)state;
    struct usmp_replay_window window = fresh();
    usmp_replay_window_accept(&window, 1000);
    assert_verdict(&window, 936, USMP_REPLAY_TOO_OLD);
    assert_verdict(&window, 937, USMP_REPLAY_NEW);
    usmp_replay_window_accept(&window, 937);
    assert_verdict(&window, 937, USMP_REPLAY_DUPLICATE);
    assert_verdict(&window, 938, USMP_REPLAY_NEW);

    usmp_replay_window_accept(&window, 1001);
    assert_verdict(&window, 937, USMP_REPLAY_TOO_OLD);
    assert_verdict(&window, 1000, USMP_REPLAY_DUPLICATE);
}

/* Jumps around the width of the bitmap: what is still inside is remembered, what is outside is too old. */
static void test_jumps(void **state)
{
    (void)state;
    for (uint32_t jump = 1; jump <= 200; jump++) {
        struct usmp_replay_window window = fresh();
        usmp_replay_window_accept(&window, 500);
        usmp_replay_window_accept(&window, 500 + jump);
        assert_verdict(&window, 500 + jump, USMP_REPLAY_DUPLICATE);
        assert_verdict(&window, 500, jump < 64 ? USMP_REPLAY_DUPLICATE : USMP_REPLAY_TOO_OLD);
        assert_verdict(&window, 500 + jump - 63, jump == 63 ? USMP_REPLAY_DUPLICATE : USMP_REPLAY_NEW);
    }
}

static void test_the_last_numbers(void **state)
{
    (void)state;
    struct usmp_replay_window window = fresh();
    usmp_replay_window_accept(&window, UINT32_MAX - 1);
    assert_verdict(&window, UINT32_MAX, USMP_REPLAY_NEW);
    usmp_replay_window_accept(&window, UINT32_MAX);
    assert_verdict(&window, UINT32_MAX, USMP_REPLAY_DUPLICATE);
    assert_verdict(&window, UINT32_MAX - 1, USMP_REPLAY_DUPLICATE);
    assert_verdict(&window, UINT32_MAX - 63, USMP_REPLAY_NEW);
    assert_verdict(&window, UINT32_MAX - 64, USMP_REPLAY_TOO_OLD);
    assert_verdict(&window, 0, USMP_REPLAY_TOO_OLD);
}

static void test_asking_changes_nothing(void **state)
{
    (void)state;
    struct usmp_replay_window window = fresh();
    usmp_replay_window_accept(&window, 90);
    const struct usmp_replay_window before = window;
    assert_verdict(&window, 5000, USMP_REPLAY_NEW);
    assert_verdict(&window, 90, USMP_REPLAY_DUPLICATE);
    assert_verdict(&window, 3, USMP_REPLAY_TOO_OLD);
    assert_int_equal(window.highest, before.highest);
    assert_true(window.bitmap == before.bitmap);
}

/* Against a list of all that was accepted. */
static void test_random_order(void **state)
{
    (void)state;
    enum { SEQS = 4000 };
    srand(3);
    for (int round = 0; round < 20; round++) {
        static bool accepted[SEQS];
        memset(accepted, 0, sizeof accepted);
        struct usmp_replay_window window = fresh();
        uint32_t highest = 0;
        for (uint32_t step = 0; step < 20000; step++) {
            uint32_t around = step / 6;
            uint32_t spread = (uint32_t)rand() % 150;
            uint32_t seq = around + spread < 75 ? spread : around + spread - 75;
            enum usmp_replay_verdict expected = USMP_REPLAY_NEW;
            if (seq + 64 <= highest)
                expected = USMP_REPLAY_TOO_OLD;
            else if (accepted[seq])
                expected = USMP_REPLAY_DUPLICATE;
            assert_verdict(&window, seq, expected);
            if (expected == USMP_REPLAY_NEW && rand() % 3 != 0) {
                usmp_replay_window_accept(&window, seq);
                accepted[seq] = true;
                highest = seq > highest ? seq : highest;
            }
        }
    }
}

static int accept_twice(void *context)
{
    (void)context;
    struct usmp_replay_window window = fresh();
    usmp_replay_window_accept(&window, 5);
    usmp_replay_window_accept(&window, 5);
    return 0;
}

static int accept_too_old(void *context)
{
    (void)context;
    struct usmp_replay_window window = fresh();
    usmp_replay_window_accept(&window, 64);
    usmp_replay_window_accept(&window, 0);
    return 0;
}

static void test_accepting_what_is_not_new_stops_the_program(void **state)
{
    (void)state;
    assert_int_equal(child_run(accept_twice, NULL), 128 + SIGABRT);
    assert_int_equal(child_run(accept_too_old, NULL), 128 + SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seq_0_once),
        cmocka_unit_test(test_a_first_seq_that_is_not_0),
        cmocka_unit_test(test_the_edges_of_the_window),
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_the_last_numbers),
        cmocka_unit_test(test_asking_changes_nothing),
        cmocka_unit_test(test_random_order),
        cmocka_unit_test(test_accepting_what_is_not_new_stops_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
