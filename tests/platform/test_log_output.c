#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/log_output.h"
#include "platform/log_record.h"

static unsigned write_interruptions;
static size_t write_at_most = SIZE_MAX;

ssize_t __real_write(int descriptor, const void *data, size_t size);
ssize_t __wrap_write(int descriptor, const void *data, size_t size);

ssize_t __wrap_write(int descriptor, const void *data, size_t size)
{
    if (write_interruptions > 0) {
        write_interruptions--;
        errno = EINTR;
        return -1;
    }
    return __real_write(descriptor, data, size < write_at_most ? size : write_at_most);
}

static size_t read_all(int descriptor, char *text, size_t size)
{
    size_t total = 0;
    ssize_t length;
    while ((length = recv(descriptor, text + total, size - total, MSG_DONTWAIT)) > 0)
        total += (size_t)length;
    return total;
}

static size_t drain_pipe(int descriptor)
{
    char text[65536];
    assert_int_equal(fcntl(descriptor, F_SETFL, O_NONBLOCK), 0);
    size_t total = 0;
    ssize_t length;
    while ((length = read(descriptor, text, sizeof text)) > 0)
        total += (size_t)length;
    return total;
}

static void test_a_full_pipe_is_not_waited_for(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct log_output output;
    log_output_open(&output, ends[1]);
    char line[LOG_LINE_SIZE];
    memset(line, 'x', sizeof line);
    size_t taken = 0;
    while (log_output_write(&output, line, sizeof line))
        taken += sizeof line;
    assert_true(taken > 0);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(drain_pipe(ends[0]), taken);
    assert_true(log_output_write(&output, "again\n", 6));
    assert_int_equal(drain_pipe(ends[0]), 6);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void test_a_pipe_without_a_reader_takes_nothing(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct log_output output;
    log_output_open(&output, ends[1]);
    assert_int_equal(close(ends[0]), 0);
    assert_false(log_output_write(&output, "x\n", 2)); /* and no SIGPIPE ends this test */
    assert_int_equal(close(ends[1]), 0);
}

static void test_a_full_socket_is_not_waited_for(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct log_output output;
    log_output_open(&output, ends[1]);
    char line[LOG_LINE_SIZE];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    unsigned taken = 0;
    while (log_output_write(&output, line, sizeof line))
        taken++;
    assert_true(taken > 0);
    char *received = malloc(4u << 20);
    assert_non_null(received);
    assert_true(read_all(ends[0], received, 4u << 20) >= (size_t)taken * sizeof line);
    free(received);
    assert_true(log_output_write(&output, line, sizeof line));
    assert_int_equal(close(ends[0]), 0);
    /* Nobody reads any more: not taken, and no SIGPIPE. */
    assert_false(log_output_write(&output, line, sizeof line));
    assert_int_equal(close(ends[1]), 0);
}

static void test_a_closed_descriptor_takes_nothing(void **state)
{
    (void)state;
    struct log_output output;
    int descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
    log_output_open(&output, descriptor);
    assert_false(log_output_write(&output, "x\n", 2));
    assert_false(log_output_is_journal_stream(&output));
}

static void test_an_interrupted_write_goes_on(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct log_output output;
    log_output_open(&output, ends[1]);
    write_interruptions = 2;
    write_at_most = 3;
    assert_true(log_output_write(&output, "abcdefgh\n", 9));
    write_at_most = SIZE_MAX;
    char text[16];
    assert_int_equal(read(ends[0], text, sizeof text), 9);
    assert_memory_equal(text, "abcdefgh\n", 9);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void test_the_line_after_a_torn_one_begins_anew(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    /* One page: the first three bytes of a second line fill it up. */
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
    struct log_output output;
    log_output_open(&output, ends[1]);
    write_at_most = 3;
    char filler[4093];
    memset(filler, 'x', sizeof filler);
    assert_int_equal(__real_write(ends[1], "", 0), 0);
    assert_false(output.line_open);
    assert_true(log_output_write(&output, "a\n", 2));
    assert_int_equal(drain_pipe(ends[0]), 2);

    /* A pipe of one page takes something only while it is empty, so the rest of this line has no room. */
    assert_false(log_output_write(&output, "abcdef\n", 7));
    write_at_most = SIZE_MAX;
    char text[16];
    assert_int_equal(read(ends[0], text, sizeof text), 3);
    assert_memory_equal(text, "abc", 3);

    assert_false(log_output_write(&output, "next\n", 5)); /* the newline alone fills it again */
    assert_int_equal(read(ends[0], text, sizeof text), 1);
    assert_int_equal(text[0], '\n');
    assert_true(log_output_write(&output, "last\n", 5));
    assert_int_equal(read(ends[0], text, sizeof text), 5);
    assert_memory_equal(text, "last\n", 5);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void test_files_take_everything(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    struct log_output output;
    log_output_open(&output, fileno(file));
    assert_true(log_output_write(&output, "one\n", 4));
    assert_true(log_output_write(&output, "two\n", 4));
    char text[16];
    assert_int_equal(pread(fileno(file), text, sizeof text, 0), 8);
    assert_memory_equal(text, "one\ntwo\n", 8);
    assert_int_equal(fclose(file), 0);
}

static void test_the_journal_is_known_by_device_and_inode(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct stat status;
    assert_int_equal(fstat(ends[1], &status), 0);
    struct log_output output;
    log_output_open(&output, ends[1]);

    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
    assert_false(log_output_is_journal_stream(&output));
    char announced[64];
    (void)snprintf(announced, sizeof announced, "%lu:%lu", (unsigned long)status.st_dev, (unsigned long)status.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", announced, 1), 0);
    assert_true(log_output_is_journal_stream(&output));
    (void)snprintf(announced, sizeof announced, "%lu:%lu", (unsigned long)status.st_dev,
                   (unsigned long)status.st_ino + 1);
    assert_int_equal(setenv("JOURNAL_STREAM", announced, 1), 0);
    assert_false(log_output_is_journal_stream(&output));
    assert_int_equal(setenv("JOURNAL_STREAM", "", 1), 0);
    assert_false(log_output_is_journal_stream(&output));
    assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_pipe_is_not_waited_for),
        cmocka_unit_test(test_a_pipe_without_a_reader_takes_nothing),
        cmocka_unit_test(test_a_full_socket_is_not_waited_for),
        cmocka_unit_test(test_a_closed_descriptor_takes_nothing),
        cmocka_unit_test(test_an_interrupted_write_goes_on),
        cmocka_unit_test(test_the_line_after_a_torn_one_begins_anew),
        cmocka_unit_test(test_files_take_everything),
        cmocka_unit_test(test_the_journal_is_known_by_device_and_inode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
