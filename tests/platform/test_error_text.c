#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/error_text.h"

static void test_text_is_formatted(void **state)
{
    (void)state;
    struct error_text error;
    error_text_set(&error, "cannot open %s: %d", "a.yaml", 2);
    assert_string_equal(error.text, "cannot open a.yaml: 2");
}

static void test_long_text_is_cut(void **state)
{
    (void)state;
    char path[1000];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    struct error_text error;
    error_text_set(&error, "cannot open %s", path);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    assert_memory_equal(error.text, "cannot open ppp", 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_formatted),
        cmocka_unit_test(test_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
