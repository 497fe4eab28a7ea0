#include "config/messages.h"

#include <string.h>

static int open_diagnostics(void **state)
{
    *state = diagnostics_open();
    return *state == NULL ? -1 : 0;
}

static int close_diagnostics(void **state)
{
    diagnostics_close(*state);
    return 0;
}

static struct diagnostics_place at(const char *file, unsigned line, unsigned column)
{
    return (struct diagnostics_place){.file = file, .line = line, .column = column};
}

static void empty_prints_nothing(void **state)
{
    assert_messages(*state, "");
    assert_int_equal(diagnostics_errors(*state), 0);
    assert_int_equal(diagnostics_warnings(*state), 0);
}

static void text_has_place_and_kind(void **state)
{
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("a.yaml", 3, 7), "limits.%s: %d is too many", "sessions", 12);
    diagnostics_add(*state, DIAGNOSTICS_WARNING, at("a.yaml", 4, 1), "careful");
    assert_messages(*state, "a.yaml:3:7: limits.sessions: 12 is too many\n"
                            "a.yaml:4:1: warning: careful\n");
    assert_int_equal(diagnostics_errors(*state), 1);
    assert_int_equal(diagnostics_warnings(*state), 1);
}

static void whole_file_and_no_file(void **state)
{
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("a.yaml", 0, 0), "no such file");
    diagnostics_add(*state, DIAGNOSTICS_WARNING, at(NULL, 0, 0), "about nothing");
    assert_messages(*state, "a.yaml: no such file\nwarning: about nothing\n");
}

static void sorted_by_file_as_named_then_place(void **state)
{
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("z.yaml", 9, 1), "five");
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("a.yaml", 1, 1), "six");
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("z.yaml", 2, 8), "three");
    diagnostics_add(*state, DIAGNOSTICS_WARNING, at("z.yaml", 2, 8), "four");
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("z.yaml", 2, 3), "two");
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("z.yaml", 0, 0), "one");
    assert_messages(*state, "z.yaml: one\n"
                            "z.yaml:2:3: two\n"
                            "z.yaml:2:8: three\n"
                            "z.yaml:2:8: warning: four\n"
                            "z.yaml:9:1: five\n"
                            "a.yaml:1:1: six\n");
}

static void file_name_is_copied(void **state)
{
    char name[] = "short-lived.yaml";
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at(name, 1, 1), "one");
    memset(name, 'x', sizeof name - 1);
    assert_messages(*state, "short-lived.yaml:1:1: one\n");
}

static void nothing_steers_the_terminal(void **state)
{
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("a\nb", 1, 1), "key %s", "\x1b[31m\xc2\x9b é \xff");
    assert_messages(*state, "a\\x0ab:1:1: key \\x1b[31m\\xc2\\x9b é \\xff\n");
}

static void long_text_is_cut_at_a_character(void **state)
{
    char long_text[3 * DIAGNOSTICS_TEXT];
    for (size_t i = 0; i < sizeof long_text - 1; i += 2) {
        memcpy(long_text + i, "é", 2);
    }
    long_text[sizeof long_text - 2] = '\0';
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("a", 1, 1), "x%s", long_text);
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("a", 2, 1), "%s", long_text);
    char *text = messages_of(*state);
    const char *second = strchr(text, '\n') + 1;
    assert_int_equal(second - text, strlen("a:1:1: ") + DIAGNOSTICS_TEXT);
    assert_int_equal(strlen(second), strlen("a:2:1: ") + DIAGNOSTICS_TEXT - 1);
    assert_memory_equal(second - 3, "é\n", 3);
    free(text);
}

static void long_file_name_leaves_the_message(void **state)
{
    char name[5000];
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at(name, 1, 1), "the message");
    char *text = messages_of(*state);
    assert_string_equal(text + sizeof name - 1, ":1:1: the message\n");
    free(text);
}

static void over_the_bound_is_counted(void **state)
{
    for (unsigned i = 0; i < DIAGNOSTICS_MAX + 3; i++) {
        diagnostics_add(*state, DIAGNOSTICS_ERROR, at("a", i + 1, 1), "e");
    }
    assert_int_equal(diagnostics_errors(*state), DIAGNOSTICS_MAX + 3);
    char *text = messages_of(*state);
    assert_non_null(strstr(text, "\na:1000:1: e\n3 further messages are not shown\n"));
    assert_null(strstr(text, "a:1001:1"));
    free(text);
}

static void error_pushes_a_warning_out(void **state)
{
    for (unsigned i = 0; i < DIAGNOSTICS_MAX; i++) {
        diagnostics_add(*state, DIAGNOSTICS_WARNING, at("a", i + 1, 1), "w");
    }
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("a", 2, 9), "the error");
    diagnostics_add(*state, DIAGNOSTICS_WARNING, at("a", 2, 9), "one more warning");
    char *text = messages_of(*state);
    assert_non_null(strstr(text, "\na:2:9: the error\n"));
    assert_null(strstr(text, "one more warning"));
    assert_null(strstr(text, "a:1000:1"));
    assert_non_null(strstr(text, "a:999:1: warning: w\n2 further messages are not shown\n"));
    free(text);
}

static void files_are_bounded(void **state)
{
    for (unsigned i = 0; i < DIAGNOSTICS_MAX + 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%u", i);
        diagnostics_add(*state, DIAGNOSTICS_WARNING, at(name, 1, 1), "w");
    }
    char *text = messages_of(*state);
    assert_non_null(strstr(text, "f999:1:1: warning: w\n2 further messages are not shown\n"));
    free(text);
}

struct seen {
    unsigned errors;
    unsigned warnings;
};

static void count_one(void *context, enum diagnostics_severity severity, const char *text)
{
    struct seen *seen = context;
    if (severity == DIAGNOSTICS_ERROR) {
        assert_string_equal(text, "a:1:1: e");
        seen->errors++;
    } else {
        assert_string_equal(text, "a:1:2: warning: w");
        seen->warnings++;
    }
}

static void each_gets_severity_and_text(void **state)
{
    diagnostics_add(*state, DIAGNOSTICS_WARNING, at("a", 1, 2), "w");
    diagnostics_add(*state, DIAGNOSTICS_ERROR, at("a", 1, 1), "e");
    struct seen seen = {0};
    diagnostics_each(*state, count_one, &seen);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.warnings, 1);
}

static void close_takes_null(void **state)
{
    (void)state;
    diagnostics_close(NULL);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, open_diagnostics, close_diagnostics)
    const struct CMUnitTest tests[] = {
        WITH(empty_prints_nothing),
        WITH(text_has_place_and_kind),
        WITH(whole_file_and_no_file),
        WITH(sorted_by_file_as_named_then_place),
        WITH(file_name_is_copied),
        WITH(nothing_steers_the_terminal),
        WITH(long_text_is_cut_at_a_character),
        WITH(long_file_name_leaves_the_message),
        WITH(over_the_bound_is_counted),
        WITH(error_pushes_a_warning_out),
        WITH(files_are_bounded),
        WITH(each_gets_severity_and_text),
        cmocka_unit_test(close_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
