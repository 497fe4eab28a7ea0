#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <usmp/start.h>

#include "platform/secret_memory.h"
#include "usmp/key_file.h"
#include "usmp/reported.h"

#define HEX_KEY "7e20c50ba1f3448d96aa0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f50"

static char path[] = "usmp-test-key-XXXXXX";
static bool memory_is_short;
static unsigned allocated;
static unsigned freed;

void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
void *__real_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
void __wrap_secret_memory_free(void *memory);
void __real_secret_memory_free(void *memory);

void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind)
{
    if (memory_is_short)
        return NULL;
    allocated++;
    return __real_secret_memory_allocate(size, kind);
}

void __wrap_secret_memory_free(void *memory)
{
    freed++;
    __real_secret_memory_free(memory);
}

/* Freeing is what wipes. */
static bool read_key(const char *from, enum key_file_format format, struct usmp_psk *psk)
{
    allocated = 0;
    freed = 0;
    bool is_read = key_file_read(from, format, psk);
    assert_int_equal(allocated, memory_is_short ? 0 : 1);
    assert_int_equal(freed, allocated);
    return is_read;
}

static int make_file(void **state)
{
    (void)state;
    strcpy(path + sizeof path - 7, "XXXXXX");
    int descriptor = mkstemp(path);
    reported_forget();
    memory_is_short = false;
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
    (void)state;
    return remove(path);
}

static void write_file(const void *bytes, size_t size)
{
    int descriptor = open(path, O_WRONLY | O_TRUNC);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, size), (ssize_t)size);
    close(descriptor);
}

static void assert_key(enum key_file_format format, const void *bytes, size_t size)
{
    struct usmp_psk psk;
    struct usmp_psk expected;
    assert_true(read_key(path, format, &psk));
    usmp_psk_init(&expected, bytes, size);
    assert_memory_equal(&psk, &expected, sizeof psk);
}

static void assert_no_key(enum key_file_format format, const char *reason)
{
    struct usmp_psk psk;
    struct usmp_psk before;
    memset(&psk, 0x5a, sizeof psk);
    before = psk;
    assert_false(read_key(path, format, &psk));
    assert_memory_equal(&psk, &before, sizeof psk);
    assert_reported(path);
    assert_reported(reason);
    reported_forget();
}

static void test_a_text_without_one_newline(void **state)
{
    (void)state;
    write_file("a key of some length\n", 21);
    assert_key(KEY_FILE_TEXT, "a key of some length", 20);
    write_file("a key of some length", 20);
    assert_key(KEY_FILE_TEXT, "a key of some length", 20);
    static const char any[] = "bytes \0\xff are bytes\n";
    write_file(any, sizeof any - 1);
    assert_key(KEY_FILE_TEXT, any, sizeof any - 2);
    assert_nothing_reported();
}

static void test_only_one_newline_goes(void **state)
{
    (void)state;
    write_file("a key\n\n", 7);
    assert_key(KEY_FILE_TEXT, "a key\n", 6);
    assert_reported("white space");
    reported_forget();
    write_file("a key\r\n", 7);
    assert_key(KEY_FILE_TEXT, "a key\r", 6);
    assert_reported("white space");
}

static void test_hex(void **state)
{
    (void)state;
    const uint8_t expected[] = {0x7e, 0x20, 0xc5, 0x0b};
    write_file("7e20c50b\n", 9);
    assert_key(KEY_FILE_HEX, expected, sizeof expected);
    write_file("7E20C50b", 8);
    assert_key(KEY_FILE_HEX, expected, sizeof expected);
    write_file(" \t7e20c50b\r\n\n", 13);
    assert_key(KEY_FILE_HEX, expected, sizeof expected);
    assert_nothing_reported();
}

static void test_hex_taken_as_text_is_warned_of(void **state)
{
    (void)state;
    write_file(HEX_KEY "\n", 65);
    assert_key(KEY_FILE_TEXT, HEX_KEY, 64);
    assert_reported("--psk-hex-file");
    assert_null(strstr(reported(), "7e20"));
    reported_forget();
    assert_int_equal(strlen(HEX_KEY), 64);
    write_file("x" HEX_KEY "\n", 65);
    assert_key(KEY_FILE_TEXT, "x" HEX_KEY, 65);
    assert_nothing_reported();
}

static void test_text_taken_as_hex(void **state)
{
    (void)state;
    write_file("a key that is a text\n", 21);
    assert_no_key(KEY_FILE_HEX, "--psk-file");
    write_file("7e20 c50b", 9);
    assert_no_key(KEY_FILE_HEX, "--psk-file");
    write_file("7e20c50\n", 8);
    assert_no_key(KEY_FILE_HEX, "odd");
}

static void test_nothing_in_it(void **state)
{
    (void)state;
    write_file("", 0);
    assert_no_key(KEY_FILE_TEXT, "no key");
    assert_no_key(KEY_FILE_HEX, "no key");
    write_file("\n", 1);
    assert_no_key(KEY_FILE_TEXT, "no key");
    write_file(" \n \n", 4);
    assert_no_key(KEY_FILE_HEX, "no key");
}

static void test_the_longest_key(void **state)
{
    (void)state;
    char text[2 * KEY_FILE_PSK_MAX + 100];
    uint8_t decoded[KEY_FILE_PSK_MAX];
    memset(text, 'a', sizeof text);
    memset(decoded, 0xaa, sizeof decoded);
    text[KEY_FILE_PSK_MAX] = '\n';
    write_file(text, KEY_FILE_PSK_MAX + 1);
    assert_key(KEY_FILE_TEXT, text, KEY_FILE_PSK_MAX);
    text[KEY_FILE_PSK_MAX] = 'a';
    write_file(text, KEY_FILE_PSK_MAX + 1);
    assert_no_key(KEY_FILE_TEXT, "1024");
    write_file(text, 2 * KEY_FILE_PSK_MAX);
    assert_key(KEY_FILE_HEX, decoded, sizeof decoded);
    write_file(text, 2 * KEY_FILE_PSK_MAX + 2);
    assert_no_key(KEY_FILE_HEX, "1024");
    write_file(text, sizeof text);
    assert_no_key(KEY_FILE_HEX, "1024");
    assert_no_key(KEY_FILE_TEXT, "1024");
}

static void test_a_file_that_others_can_read_is_warned_of(void **state)
{
    (void)state;
    write_file("a key of some length\n", 21);
    assert_int_equal(chmod(path, 0644), 0);
    assert_key(KEY_FILE_TEXT, "a key of some length", 20);
    assert_reported(path);
    assert_reported("chmod");
    reported_forget();
    assert_int_equal(chmod(path, 0640), 0);
    assert_key(KEY_FILE_TEXT, "a key of some length", 20);
    assert_nothing_reported();
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    struct usmp_psk psk;
    assert_false(read_key("no-such-folder/key", KEY_FILE_TEXT, &psk));
    assert_reported("no-such-folder/key: No such file");
    reported_forget();
    assert_false(read_key("/", KEY_FILE_TEXT, &psk));
    assert_reported("/: Is a directory");
}

static void test_standard_input(void **state)
{
    (void)state;
    write_file(HEX_KEY, 64);
    int saved = dup(STDIN_FILENO);
    int descriptor = open(path, O_RDONLY);
    assert_true(saved >= 0 && descriptor >= 0);
    assert_int_equal(dup2(descriptor, STDIN_FILENO), STDIN_FILENO);
    struct usmp_psk psk;
    bool is_read = read_key("-", KEY_FILE_HEX, &psk);
    bool is_open = fcntl(STDIN_FILENO, F_GETFD) >= 0;
    struct usmp_psk again;
    bool is_read_again = read_key("-", KEY_FILE_HEX, &again);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
    close(descriptor);
    assert_true(is_read);
    assert_true(is_open);
    assert_false(is_read_again);
    assert_reported("standard input: there is no key in it");
}

static void test_memory_that_is_short(void **state)
{
    (void)state;
    write_file("a key of some length\n", 21);
    memory_is_short = true;
    assert_no_key(KEY_FILE_TEXT, "out of memory");
}

static int start(void **state)
{
    (void)state;
    return usmp_start() == NULL ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_text_without_one_newline, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_only_one_newline_goes, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_hex, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_hex_taken_as_text_is_warned_of, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_text_taken_as_hex, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_nothing_in_it, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_the_longest_key, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_a_file_that_others_can_read_is_warned_of, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_files_that_cannot_be_read, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_standard_input, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_memory_that_is_short, make_file, remove_file),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
