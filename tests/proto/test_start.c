#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/start.h>

#include "platform/child.h"

static bool initialisation_fails;

int __real_sodium_init(void);
int __wrap_sodium_init(void);

int __wrap_sodium_init(void)
{
    return initialisation_fails ? -1 : __real_sodium_init();
}

static int start_without_libsodium(void *context)
{
    (void)context;
    initialisation_fails = true;
    const char *problem = usmp_start();
    return problem != NULL && strstr(problem, "libsodium") != NULL ? 0 : 1;
}

static void test_a_problem_is_told_in_words(void **state)
{
    (void)state;
    assert_int_equal(child_run(start_without_libsodium, NULL), 0);
}

static void test_no_problem(void **state)
{
    (void)state;
    assert_null(usmp_start());
    assert_null(usmp_start());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_problem_is_told_in_words),
        cmocka_unit_test(test_no_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
