/* What the program does without a gateway. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/program.h"

static struct program program;

static int finish(void)
{
    program_close_input(&program);
    while (!program_is_silent(&program)) {
        struct pollfd descriptors[PROGRAM_DESCRIPTORS];
        program_prepare(&program, descriptors);
        assert_true(poll(descriptors, PROGRAM_DESCRIPTORS, 60000) > 0);
        program_service(&program, descriptors);
    }
    return program_exit_status(&program);
}

static int run(const char *const *arguments)
{
    program_start(&program, arguments);
    return finish();
}

static int run_shell(const char *command)
{
    program_start_shell(&program, command);
    return finish();
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static int end(void **state)
{
    (void)state;
    program_end(&program);
    return 0;
}

static void assert_contains(const struct program_text *text, const char *part)
{
    if (strstr(text->bytes, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, text->bytes);
}

static void test_keygen_prints_a_key(void **state)
{
    (void)state;
    char keys[2][66];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(RUN("keygen"), 0);
        assert_int_equal(program.output.size, 65);
        assert_int_equal(program.output.bytes[64], '\n');
        for (int digit = 0; digit < 64; digit++) {
            char character = program.output.bytes[digit];
            assert_true(isdigit(character) || (character >= 'a' && character <= 'f'));
        }
        strcpy(keys[i], program.output.bytes);
        assert_string_equal(program.errors.bytes, "");
        program_end(&program);
    }
    assert_string_not_equal(keys[0], keys[1]);
}

static void test_a_key_that_cannot_be_written(void **state)
{
    (void)state;
    assert_int_equal(run_shell("\"$0\" keygen >/dev/full"), 1);
    assert_string_equal(program.errors.bytes, "usmp: cannot write the key: No space left on device\n");
    program_end(&program);
    assert_int_equal(run_shell("\"$0\" keygen >&-"), 1);
    assert_contains(&program.errors, "cannot write the key");
}

static void test_help(void **state)
{
    (void)state;
    static const char *const commands[] = {"keygen", "send", "connect"};
    assert_int_equal(RUN("--help"), 0);
    for (int i = 0; i < 3; i++)
        assert_contains(&program.output, commands[i]);
    assert_string_equal(program.errors.bytes, "");
    program_end(&program);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(RUN(commands[i], "--help"), 0);
        assert_contains(&program.output, commands[i]);
        assert_string_equal(program.errors.bytes, "");
        program_end(&program);
    }
}

static void test_every_option_has_help(void **state)
{
    (void)state;
    static const char *const options[] = {"--device",  "--psk-file", "--psk-hex-file", "--udp",
                                          "--wire",    "--cipher",   "--timeout",      "--hex",
                                          "--verbose", "--linger",   "--ping",         "--rekey-after"};
    assert_int_equal(RUN("connect", "--help"), 0);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        assert_contains(&program.output, options[i]);
    program_end(&program);
    assert_int_equal(RUN("send", "--help"), 0);
    for (size_t i = 0; i < 9; i++)
        assert_contains(&program.output, options[i]);
}

static void test_version(void **state)
{
    (void)state;
    assert_int_equal(RUN("--version"), 0);
    assert_int_equal(strncmp(program.output.bytes, "usmp ", 5), 0);
    assert_true(isdigit(program.output.bytes[5]));
    assert_ptr_equal(strchr(program.output.bytes, '\n'), program.output.bytes + program.output.size - 1);
}

static void test_a_wrong_command_line(void **state)
{
    (void)state;
    assert_int_equal(RUN("listen"), 2);
    assert_contains(&program.errors, "usmp: 'listen' is no command");
    assert_string_equal(program.output.bytes, "");
    program_end(&program);
    assert_int_equal(RUN("send", "gw:1", "--colour"), 2);
    assert_contains(&program.errors, "--colour");
    assert_contains(&program.errors, "usmp send --help");
}

static void test_a_key_file_that_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(RUN("send", "127.0.0.1:1", "-d", "deadbeef0001", "--psk-file", "no-such-file", "text"), 1);
    assert_string_equal(program.errors.bytes, "usmp: no-such-file: No such file or directory\n");
}

static void test_a_host_that_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(run_shell("echo a key of some length |"
                               "\"$0\" send [fe80::1%no-interface]:1 -d deadbeef0001 --psk-file - text"),
                     1);
    assert_contains(&program.errors, "usmp: fe80::1%no-interface: ");
}

static void test_a_key_from_an_empty_standard_input(void **state)
{
    (void)state;
    assert_int_equal(RUN("send", "127.0.0.1:1", "-d", "deadbeef0001", "--psk-file", "-", "text"), 1);
    assert_string_equal(program.errors.bytes, "usmp: standard input: there is no key in it\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_keygen_prints_a_key, end),
        cmocka_unit_test_teardown(test_a_key_that_cannot_be_written, end),
        cmocka_unit_test_teardown(test_help, end),
        cmocka_unit_test_teardown(test_every_option_has_help, end),
        cmocka_unit_test_teardown(test_version, end),
        cmocka_unit_test_teardown(test_a_wrong_command_line, end),
        cmocka_unit_test_teardown(test_a_key_file_that_is_not_there, end),
        cmocka_unit_test_teardown(test_a_host_that_is_not_there, end),
        cmocka_unit_test_teardown(test_a_key_from_an_empty_standard_input, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
