#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <usmp/fragments.h>

#include "platform/child.h"

static void test_counts_at_the_edges(void **state)
{
    (void)state;
    assert_int_equal(usmp_fragment_count(0), 1);
    assert_int_equal(usmp_fragment_count(1), 1);
    assert_int_equal(usmp_fragment_count(452), 1);
    assert_int_equal(usmp_fragment_count(453), 2);
    assert_int_equal(usmp_fragment_count(904), 2);
    assert_int_equal(usmp_fragment_count(905), 3);
    assert_int_equal(usmp_fragment_count(1356), 3);
    assert_int_equal(usmp_fragment_count(1357), 4);
    assert_int_equal(usmp_fragment_count(1808), 4);
}

/* For every size: all of the message, in order, in full frames but for the last, of which only that is DATA. */
static void test_every_size(void **state)
{
    (void)state;
    for (size_t size = 0; size <= USMP_MESSAGE_MAX; size++) {
        size_t count = usmp_fragment_count(size);
        size_t offset = 0;
        for (size_t i = 0; i < count; i++) {
            struct usmp_fragment fragment = usmp_fragment_at(size, i);
            assert_int_equal(fragment.offset, offset);
            assert_int_equal(fragment.type, i + 1 < count ? USMP_DATA_FRAG : USMP_DATA);
            if (i + 1 < count)
                assert_int_equal(fragment.size, 452);
            offset += fragment.size;
        }
        assert_int_equal(offset, size);
    }
}

static int count_too_much(void *context)
{
    (void)context;
    return (int)usmp_fragment_count(USMP_MESSAGE_MAX + 1);
}

static int ask_behind_the_last(void *context)
{
    (void)context;
    return (int)usmp_fragment_at(452, 1).size;
}

static void test_misuse_stops_the_program(void **state)
{
    (void)state;
    assert_int_equal(child_run(count_too_much, NULL), 128 + SIGABRT);
    assert_int_equal(child_run(ask_behind_the_last, NULL), 128 + SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_at_the_edges),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_misuse_stops_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
