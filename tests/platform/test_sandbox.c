#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

#include <cmocka.h>

#include "platform/child.h"
#include "platform/sandbox.h"

static int prctl_error;

int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);

int __wrap_prctl(int option, ...)
{
    va_list arguments;
    va_start(arguments, option);
    unsigned long value = option == PR_SET_NO_NEW_PRIVS ? va_arg(arguments, unsigned long) : 0;
    va_end(arguments);
    if (prctl_error == 0)
        return __real_prctl(option, value, 0, 0, 0);
    errno = prctl_error;
    return -1;
}

static int enter_and_look(void *context)
{
    (void)context;
    if (prctl(PR_GET_NO_NEW_PRIVS) != 0)
        return 1;
    if (sandbox_enter() != 0)
        return 2;
    return prctl(PR_GET_NO_NEW_PRIVS) == 1 ? 0 : 3;
}

static void test_no_new_privileges(void **state)
{
    (void)state;
    assert_int_equal(child_run(enter_and_look, NULL), 0);
}

static void test_failure_is_told(void **state)
{
    (void)state;
    prctl_error = EINVAL;
    assert_int_equal(sandbox_enter(), -EINVAL);
    prctl_error = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_new_privileges),
        cmocka_unit_test(test_failure_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
