#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "platform/child.h"
#include "platform/descriptor_limit.h"

static bool refusing;
static unsigned calls;

int __real_setrlimit(int resource, const struct rlimit *limit);
int __wrap_setrlimit(int resource, const struct rlimit *limit);

int __wrap_setrlimit(int resource, const struct rlimit *limit)
{
    calls++;
    if (!refusing)
        return __real_setrlimit(resource, limit);
    errno = EPERM;
    return -1;
}

static bool limits_are(rlim_t soft, rlim_t hard)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == soft && limit.rlim_max == hard;
}

/* In a child, whose limits nobody else has. */
static bool begin_with(rlim_t soft, rlim_t hard)
{
    const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
    return __real_setrlimit(RLIMIT_NOFILE, &limit) == 0 && limits_are(soft, hard);
}

static int raise_it(void *context)
{
    (void)context;
    if (!begin_with(64, 200))
        return 1;
    descriptor_limit_raise();
    return limits_are(200, 200) ? 0 : 2;
}

static void test_the_hard_limit_is_reached_and_stays(void **state)
{
    (void)state;
    assert_int_equal(child_run(raise_it, NULL), 0);
}

static int leave_it(void *context)
{
    (void)context;
    if (!begin_with(200, 200))
        return 1;
    calls = 0;
    descriptor_limit_raise();
    return limits_are(200, 200) && calls == 0 ? 0 : 2;
}

static void test_what_is_highest_already_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(child_run(leave_it, NULL), 0);
}

static int be_refused(void *context)
{
    (void)context;
    if (!begin_with(64, 200))
        return 1;
    refusing = true;
    calls = 0;
    descriptor_limit_raise();
    return limits_are(64, 200) && calls == 1 ? 0 : 2;
}

static void test_a_refusal_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(child_run(be_refused, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_hard_limit_is_reached_and_stays),
        cmocka_unit_test(test_what_is_highest_already_is_left_alone),
        cmocka_unit_test(test_a_refusal_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
