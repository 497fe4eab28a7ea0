#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "platform/child.h"
#include "platform/core_files.h"

static int forbid_and_look(void *context)
{
    (void)context;
    struct rlimit limit;
    if (prctl(PR_GET_DUMPABLE) != 1)
        return 1;
    if (core_files_forbid() != 0)
        return 2;
    if (prctl(PR_GET_DUMPABLE) != 0)
        return 3;
    if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
        return 4;
    return 0;
}

static void test_no_core_file_and_no_other_reader(void **state)
{
    (void)state;
    assert_int_equal(child_run(forbid_and_look, NULL), 0);
}

static int setrlimit_error;
static int prctl_error;

int __real_setrlimit(int resource, const struct rlimit *limit);
int __wrap_setrlimit(int resource, const struct rlimit *limit);
int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);

int __wrap_setrlimit(int resource, const struct rlimit *limit)
{
    if (setrlimit_error == 0)
        return __real_setrlimit(resource, limit);
    errno = setrlimit_error;
    return -1;
}

int __wrap_prctl(int option, ...)
{
    va_list arguments;
    va_start(arguments, option);
    unsigned long value = option == PR_SET_DUMPABLE ? va_arg(arguments, unsigned long) : 0;
    va_end(arguments);
    if (prctl_error == 0 || option != PR_SET_DUMPABLE)
        return __real_prctl(option, value, 0, 0, 0);
    errno = prctl_error;
    return -1;
}

static void test_failures_are_told(void **state)
{
    (void)state;
    setrlimit_error = EPERM;
    assert_int_equal(core_files_forbid(), -EPERM);
    setrlimit_error = 0;
    prctl_error = EINVAL;
    assert_int_equal(core_files_forbid(), -EINVAL);
    prctl_error = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_core_file_and_no_other_reader),
        cmocka_unit_test(test_failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
