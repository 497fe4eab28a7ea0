#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "platform/child.h"
#include "platform/log.h"
#include "platform/sandbox.h"
#include "platform/system_calls.h"

static int prctl_error;
static int confine_error;
static unsigned warnings;

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

int __real_system_calls_confine(void);
int __wrap_system_calls_confine(void);

int __wrap_system_calls_confine(void)
{
    return confine_error != 0 ? -confine_error : __real_system_calls_confine();
}

static bool is_filtered(void)
{
    return prctl(PR_GET_SECCOMP) != 0;
}

static void count_warning(void *context, const struct log_record *record)
{
    const char *wanted = context;
    if (record->level == LOG_LEVEL_WARN && strstr(record->message, wanted) != NULL)
        warnings++;
}

static unsigned warnings_with(const char *wanted)
{
    union {
        const char *in;
        void *out;
    } context = {.in = wanted};
    warnings = 0;
    log_divert(count_warning, context.out);
    sandbox_enter();
    log_divert(NULL, NULL);
    return warnings;
}

static int enter_and_look(void *context)
{
    (void)context;
    if (prctl(PR_GET_NO_NEW_PRIVS) != 0)
        return 1;
    sandbox_enter();
    return socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == ENOSYS ? 0 : 2;
}

static int enter_without_filter(void *context)
{
    (void)context;
    confine_error = EINVAL;
    if (warnings_with("confine its system calls") != 1)
        return 1;
    return prctl(PR_GET_NO_NEW_PRIVS) == 1 && !is_filtered() ? 0 : 2;
}

static int enter_with_privileges(void *context)
{
    (void)context;
    prctl_error = EINVAL;
    confine_error = EACCES;
    if (warnings_with("give up gaining privileges") != 1)
        return 1;
    prctl_error = 0;
    return prctl(PR_GET_NO_NEW_PRIVS) == 0 ? 0 : 2;
}

static void test_nothing_more_can_be_had(void **state)
{
    (void)state;
    assert_int_equal(child_run(enter_and_look, NULL), 0);
}

static void test_a_kernel_without_filters(void **state)
{
    (void)state;
    assert_int_equal(child_run(enter_without_filter, NULL), 0);
}

static void test_a_kernel_that_takes_no_promise(void **state)
{
    (void)state;
    assert_int_equal(child_run(enter_with_privileges, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_more_can_be_had),
        cmocka_unit_test(test_a_kernel_without_filters),
        cmocka_unit_test(test_a_kernel_that_takes_no_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
