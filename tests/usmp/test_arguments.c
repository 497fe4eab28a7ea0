#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/arguments.h"
#include "usmp/reported.h"

#define MOST_ARGUMENTS 24

static struct arguments parsed;

/* Words of a command line, apart by one space; "''" is an empty one. */
static enum arguments_action parse(const char *line)
{
    static char words[4 * USMP_MESSAGE_MAX];
    static char *argv[MOST_ARGUMENTS + 1]; /* `parsed` points into it */
    int argc = 0;
    assert_true(strlen(line) < sizeof words);
    strcpy(words, line);
    char *rest = words;
    for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        assert_true(argc < MOST_ARGUMENTS);
        if (strcmp(word, "''") == 0)
            *word = '\0';
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    reported_forget();
    memset(&parsed, 0x5a, sizeof parsed);
    return arguments_parse(argc, argv, &parsed);
}

static void assert_wrong(const char *line, const char *reason)
{
    if (parse(line) != ARGUMENTS_WRONG)
        fail_msg("taken: %s", line);
    assert_reported(reason);
}

#define SEND "usmp send gw.example:9000 --device de:ad:be:ef:00:01 --psk-file key.txt"
#define CONNECT "usmp connect gw.example:9000 --device de:ad:be:ef:00:01 --psk-file key.txt"

static void test_keygen(void **state)
{
    (void)state;
    assert_int_equal(parse("usmp keygen"), ARGUMENTS_RUN);
    assert_int_equal(parsed.command, ARGUMENTS_KEYGEN);
    assert_nothing_reported();
    assert_wrong("usmp keygen 2", "'2' is one argument too many");
    assert_int_equal(parse("usmp keygen --udp"), ARGUMENTS_WRONG);
    assert_int_equal(parse("usmp keygen -v"), ARGUMENTS_WRONG);
}

static void test_what_is_said_without_options(void **state)
{
    (void)state;
    const uint8_t id[] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01};
    assert_int_equal(parse(SEND " temp=21.5 ''"), ARGUMENTS_RUN);
    assert_int_equal(parsed.command, ARGUMENTS_SEND);
    assert_string_equal(parsed.endpoint.host, "gw.example");
    assert_string_equal(parsed.endpoint.port, "9000");
    assert_memory_equal(parsed.device_id, id, sizeof id);
    assert_string_equal(parsed.key_path, "key.txt");
    assert_int_equal(parsed.key_format, KEY_FILE_TEXT);
    assert_int_equal(parsed.transport, USMP_TCP);
    assert_int_equal(parsed.wire, 2);
    assert_int_equal(parsed.cipher, USMP_CIPHER_AES_256_GCM);
    assert_int_equal(parsed.timeout, 10000000);
    assert_false(parsed.hex);
    assert_false(parsed.verbose);
    assert_int_equal(parsed.text_count, 2);
    assert_string_equal(parsed.texts[0], "temp=21.5");
    assert_string_equal(parsed.texts[1], "");
    assert_int_equal(parsed.linger, 0);
    assert_int_equal(parsed.ping, 0);
    assert_int_equal(parsed.rekey_after, 0);
    assert_nothing_reported();
}

static void test_every_option(void **state)
{
    (void)state;
    assert_int_equal(parse("usmp connect [::1]:1 --device DEADBEEF0001 --psk-hex-file k --udp --wire 2 "
                           "--cipher chacha20-poly1305 --timeout 0.25 --hex --verbose --linger 3 --ping 30 "
                           "--rekey-after 1000"),
                     ARGUMENTS_RUN);
    assert_int_equal(parsed.command, ARGUMENTS_CONNECT);
    assert_string_equal(parsed.endpoint.host, "::1");
    assert_string_equal(parsed.key_path, "k");
    assert_int_equal(parsed.key_format, KEY_FILE_HEX);
    assert_int_equal(parsed.transport, USMP_UDP);
    assert_int_equal(parsed.wire, 2);
    assert_int_equal(parsed.cipher, USMP_CIPHER_CHACHA20_POLY1305);
    assert_int_equal(parsed.timeout, 250000);
    assert_true(parsed.hex);
    assert_true(parsed.verbose);
    assert_int_equal(parsed.linger, 3000000);
    assert_int_equal(parsed.ping, 30000000);
    assert_int_equal(parsed.rekey_after, 1000);
    assert_nothing_reported();
}

static void test_short_options_and_any_order(void **state)
{
    (void)state;
    assert_int_equal(parse("usmp send -uvw1 -t5 -d deadbeef0001 gw:1 one --psk-file=k two --cipher aes-256-gcm"),
                     ARGUMENTS_RUN);
    assert_int_equal(parsed.transport, USMP_UDP);
    assert_true(parsed.verbose);
    assert_int_equal(parsed.wire, 1);
    assert_int_equal(parsed.timeout, 5000000);
    assert_string_equal(parsed.key_path, "k");
    assert_int_equal(parsed.text_count, 2);
    assert_string_equal(parsed.texts[0], "one");
    assert_string_equal(parsed.texts[1], "two");
}

static void test_texts_that_look_like_options(void **state)
{
    (void)state;
    assert_int_equal(parse(SEND " -- -5.2 --udp"), ARGUMENTS_RUN);
    assert_int_equal(parsed.text_count, 2);
    assert_string_equal(parsed.texts[0], "-5.2");
    assert_string_equal(parsed.texts[1], "--udp");
    assert_int_equal(parsed.transport, USMP_TCP);
    assert_int_equal(parse(SEND " -5.2"), ARGUMENTS_WRONG);
}

static void test_help_and_version(void **state)
{
    (void)state;
    assert_int_equal(parse("usmp --help"), ARGUMENTS_DONE);
    assert_int_equal(parse("usmp -h"), ARGUMENTS_DONE);
    assert_int_equal(parse("usmp --version"), ARGUMENTS_DONE);
    assert_int_equal(parse("usmp keygen --help"), ARGUMENTS_DONE);
    assert_int_equal(parse("usmp send -h"), ARGUMENTS_DONE);
    assert_int_equal(parse("usmp connect --help"), ARGUMENTS_DONE);
    assert_int_equal(parse("usmp send gw:1 --help --what"), ARGUMENTS_DONE);
    assert_nothing_reported();
}

static void test_commands_that_are_none(void **state)
{
    (void)state;
    assert_wrong("usmp", "command is missing");
    assert_wrong("usmp listen", "'listen' is no command");
    assert_wrong("usmp ''", "'' is no command");
    assert_wrong("usmp --udp", "'--udp' is no command");
}

static void test_what_is_missing(void **state)
{
    (void)state;
    assert_wrong("usmp send", "HOST:PORT is missing");
    assert_wrong("usmp connect --device deadbeef0001 --psk-file k", "HOST:PORT is missing");
    assert_wrong("usmp send gw:1 --psk-file k text", "--device is missing");
    assert_wrong("usmp connect gw:1 --device deadbeef0001", "--psk-file or --psk-hex-file is missing");
    assert_wrong(SEND, "no TEXT");
    assert_int_equal(parse(CONNECT " --timeout"), ARGUMENTS_WRONG);
}

static void test_what_is_too_much(void **state)
{
    (void)state;
    assert_wrong(CONNECT " text", "'text' is one argument too many");
    assert_wrong(SEND " --psk-hex-file other text", "'other' would be a second key");
    assert_wrong(SEND " --psk-file other text", "'other' would be a second key");
    assert_int_equal(parse(SEND " --linger 3 text"), ARGUMENTS_WRONG);
    assert_int_equal(parse(SEND " --ping 3 text"), ARGUMENTS_WRONG);
    assert_int_equal(parse(SEND " --rekey-after 3 text"), ARGUMENTS_WRONG);
    assert_int_equal(parse(SEND " --udp=yes text"), ARGUMENTS_WRONG);
    assert_int_equal(parse(SEND " --psk secret text"), ARGUMENTS_WRONG); /* which of two, and none takes a key */
}

static void test_values_that_are_none(void **state)
{
    (void)state;
    assert_wrong("usmp send gw -d deadbeef0001 --psk-file k t", "'gw' has no port");
    assert_wrong("usmp send ::1:9000 -d deadbeef0001 --psk-file k t", "brackets");
    assert_wrong(CONNECT " --device deadbeef", "'deadbeef' is no device id");
    assert_wrong(CONNECT " --wire 3", "'3' is no wire");
    assert_wrong(CONNECT " --wire 0", "'0' is no wire");
    assert_wrong(CONNECT " --cipher aes", "'aes' is no cipher");
    assert_wrong(CONNECT " --timeout 0", "'0' is no number of seconds");
    assert_wrong(CONNECT " --timeout 5s", "'5s' is no number of seconds");
    assert_wrong(CONNECT " --linger -1", "'-1' is no number of seconds");
    assert_wrong(CONNECT " --ping 0.0", "'0.0' is no number of seconds");
    assert_wrong(CONNECT " --rekey-after 0", "'0' is no number of messages");
    assert_wrong(CONNECT " --rekey-after 4294967296", "is no number of messages");
}

static void test_what_does_not_fit_together(void **state)
{
    (void)state;
    assert_wrong(CONNECT " --wire 1 --cipher chacha20-poly1305", "chacha20-poly1305 needs wire 2");
    assert_wrong(CONNECT " --wire 1 --rekey-after 5", "--rekey-after needs wire 2");
    assert_wrong("usmp connect gw:1 -d deadbeef0001 --psk-file -", "standard input");
    assert_int_equal(parse("usmp send gw:1 -d deadbeef0001 --psk-file - text"), ARGUMENTS_RUN);
    assert_string_equal(parsed.key_path, "-");
}

static void assert_text_of(const char *options, char character, size_t length, enum arguments_action action)
{
    char line[3 * USMP_MESSAGE_MAX];
    int used = snprintf(line, sizeof line, SEND " %s ", options);
    memset(line + used, character, length);
    line[(size_t)used + length] = '\0';
    assert_int_equal(parse(line), action);
    if (action == ARGUMENTS_WRONG)
        assert_int_not_equal(strlen(reported()), 0);
}

static void test_how_long_a_text_may_be(void **state)
{
    (void)state;
    assert_text_of("", 'x', USMP_MESSAGE_MAX, ARGUMENTS_RUN);
    assert_text_of("", 'x', USMP_MESSAGE_MAX + 1, ARGUMENTS_WRONG);
    assert_text_of("--hex", '7', 2 * (size_t)USMP_MESSAGE_MAX, ARGUMENTS_RUN);
    assert_text_of("--hex", '7', 2 * (size_t)USMP_MESSAGE_MAX + 1, ARGUMENTS_WRONG);
    assert_text_of("--hex", '7', 2 * (size_t)USMP_MESSAGE_MAX + 2, ARGUMENTS_WRONG);
}

static void test_texts_in_hex(void **state)
{
    (void)state;
    assert_int_equal(parse(SEND " --hex 00ff ''"), ARGUMENTS_RUN);
    assert_wrong(SEND " --hex 00ff 0", "'0' is not in hex digits");
    assert_wrong(SEND " --hex zz", "'zz' is not in hex digits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keygen),
        cmocka_unit_test(test_what_is_said_without_options),
        cmocka_unit_test(test_every_option),
        cmocka_unit_test(test_short_options_and_any_order),
        cmocka_unit_test(test_texts_that_look_like_options),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_commands_that_are_none),
        cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_what_is_too_much),
        cmocka_unit_test(test_values_that_are_none),
        cmocka_unit_test(test_what_does_not_fit_together),
        cmocka_unit_test(test_how_long_a_text_may_be),
        cmocka_unit_test(test_texts_in_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
