#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "platform/child.h"
#include "platform/lock_file.h"
#include "platform/scratch.h"

static bool malloc_fails;
static bool write_fails;
static int flock_error;
static const char *vanishing_path; /* removed between open() and flock(), as a holder that goes away does */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return malloc_fails ? NULL : __real_malloc(size);
}

ssize_t __real_pwrite(int descriptor, const void *data, size_t size, off_t offset);
ssize_t __wrap_pwrite(int descriptor, const void *data, size_t size, off_t offset);
ssize_t __wrap_pwrite(int descriptor, const void *data, size_t size, off_t offset)
{
    return write_fails ? -1 : __real_pwrite(descriptor, data, size, offset);
}

int __real_flock(int descriptor, int operation);
int __wrap_flock(int descriptor, int operation);
int __wrap_flock(int descriptor, int operation)
{
    if (vanishing_path != NULL) {
        (void)unlink(vanishing_path);
        if (flock_error == 0)
            vanishing_path = NULL;
    } else if (flock_error != 0) {
        errno = flock_error;
        return -1;
    }
    return __real_flock(descriptor, operation);
}

static int begin(void **state)
{
    malloc_fails = write_fails = false;
    flock_error = 0;
    vanishing_path = NULL;
    return scratch_make(state);
}

static void test_taking_and_letting_go(void **state)
{
    const struct scratch *scratch = *state;
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    struct error_text error;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_HELD);
    assert_string_equal(lock.path, scratch->lock);

    struct stat status;
    assert_int_equal(stat(scratch->lock, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_not_equal(fcntl(lock.descriptor, F_GETFD) & FD_CLOEXEC, 0);
    char expected[32];
    char pid[32] = "";
    (void)snprintf(expected, sizeof expected, "%ld\n", (long)getpid());
    assert_true(pread(lock.descriptor, pid, sizeof pid - 1, 0) > 0);
    assert_string_equal(pid, expected);

    lock_file_release(&lock);
    assert_int_equal(lock.descriptor, -1);
    assert_int_equal(stat(scratch->lock, &status), -1);
    lock_file_release(&lock);
}

struct holder {
    const struct scratch *scratch;
    int ready[2];
};

static pid_t start_holder(struct holder *holder)
{
    assert_int_equal(pipe2(holder->ready, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct lock_file lock = LOCK_FILE_INITIALIZER;
        struct error_text error;
        if (lock_file_acquire(holder->scratch->path, &lock, &error) != LOCK_FILE_HELD)
            _exit(1);
        if (write(holder->ready[1], "", 1) != 1)
            _exit(2);
        for (;;)
            (void)pause();
    }
    char byte;
    assert_int_equal(close(holder->ready[1]), 0);
    assert_int_equal(read(holder->ready[0], &byte, 1), 1);
    assert_int_equal(close(holder->ready[0]), 0);
    return child;
}

static void test_a_second_process_is_refused_and_told_who_it_is(void **state)
{
    const struct scratch *scratch = *state;
    struct holder holder = {.scratch = scratch};
    pid_t child = start_holder(&holder);
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    struct error_text error;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_BUSY);
    assert_int_equal(lock.descriptor, -1);
    char expected[256];
    (void)snprintf(expected, sizeof expected, "another process (pid %ld) holds %s", (long)child, scratch->lock);
    assert_string_equal(error.text, expected);

    /* However it ends, what it leaves behind is no obstacle. */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(access(scratch->lock, F_OK), 0);
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_HELD);
    lock_file_release(&lock);
}

static void test_a_holder_without_a_pid(void **state)
{
    const struct scratch *scratch = *state;
    int other = open(scratch->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(other, LOCK_EX), 0);
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    struct error_text error;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_BUSY);
    char expected[256];
    (void)snprintf(expected, sizeof expected, "another process holds %s", scratch->lock);
    assert_string_equal(error.text, expected);
    /* Not a number: nothing of it is repeated. */
    assert_int_equal(__real_pwrite(other, "\x1b[2Jx", 5, 0), 5);
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_BUSY);
    assert_string_equal(error.text, expected);
    assert_int_equal(close(other), 0);
}

static void test_a_longer_pid_before_ours_is_gone(void **state)
{
    const struct scratch *scratch = *state;
    int other = open(scratch->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(__real_pwrite(other, "99999999999999999999\n", 21, 0), 21);
    assert_int_equal(close(other), 0);
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    struct error_text error;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_HELD);
    struct stat status;
    char expected[32];
    int length = snprintf(expected, sizeof expected, "%ld\n", (long)getpid());
    assert_int_equal(fstat(lock.descriptor, &status), 0);
    assert_int_equal(status.st_size, length);
    lock_file_release(&lock);
}

static void test_what_is_not_our_file_stays(void **state)
{
    const struct scratch *scratch = *state;
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    struct error_text error;
    assert_int_equal(symlink("target", scratch->lock), 0);
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_FAILED);
    assert_non_null(strstr(error.text, "cannot open"));
    assert_int_equal(unlink(scratch->lock), 0);

    assert_int_equal(mkfifo(scratch->lock, 0600), 0);
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_FAILED);
    assert_non_null(strstr(error.text, "is not a file of our own"));
    assert_int_equal(unlink(scratch->lock), 0);

    if (geteuid() == 0) {
        int other = open(scratch->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        assert_int_equal(fchown(other, 12345, (gid_t)-1), 0);
        assert_int_equal(close(other), 0);
        assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_FAILED);
        assert_non_null(strstr(error.text, "is not a file of our own"));
        assert_int_equal(access(scratch->lock, F_OK), 0);
    }
    assert_int_equal(lock.descriptor, -1);
}

static void test_a_folder_that_is_not_there(void **state)
{
    (void)state;
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    struct error_text error;
    assert_int_equal(lock_file_acquire("/nonexistent/socket", &lock, &error), LOCK_FILE_FAILED);
    assert_string_equal(error.text, "cannot open /nonexistent/socket.lock: No such file or directory");
}

static void test_a_file_that_loses_its_name_is_not_the_lock(void **state)
{
    const struct scratch *scratch = *state;
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    struct error_text error;
    vanishing_path = scratch->lock;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_HELD);
    struct stat held;
    struct stat named;
    assert_int_equal(fstat(lock.descriptor, &held), 0);
    assert_int_equal(stat(scratch->lock, &named), 0);
    assert_int_equal(held.st_ino, named.st_ino);
    lock_file_release(&lock);

    vanishing_path = scratch->lock;
    flock_error = -1; /* again and again */
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_FAILED);
    assert_non_null(strstr(error.text, "removed again and again"));
}

static void test_letting_go_spares_the_file_of_somebody_else(void **state)
{
    const struct scratch *scratch = *state;
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    struct error_text error;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_HELD);
    assert_int_equal(unlink(scratch->lock), 0);
    int other = open(scratch->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(other >= 0);
    lock_file_release(&lock);
    assert_int_equal(access(scratch->lock, F_OK), 0);
    assert_int_equal(close(other), 0);
}

static void test_failures(void **state)
{
    const struct scratch *scratch = *state;
    struct lock_file lock = LOCK_FILE_INITIALIZER;
    struct error_text error;
    malloc_fails = true;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_FAILED);
    assert_string_equal(error.text, "out of memory");
    malloc_fails = false;

    flock_error = ENOLCK;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_FAILED);
    assert_non_null(strstr(error.text, "No locks available"));
    flock_error = 0;

    write_fails = true;
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_FAILED);
    assert_non_null(strstr(error.text, "cannot write to"));
    write_fails = false;
    assert_int_equal(lock.descriptor, -1);

    /* None of them left it locked. */
    assert_int_equal(lock_file_acquire(scratch->path, &lock, &error), LOCK_FILE_HELD);
    lock_file_release(&lock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_taking_and_letting_go),
        TEST(test_a_second_process_is_refused_and_told_who_it_is),
        TEST(test_a_holder_without_a_pid),
        TEST(test_a_longer_pid_before_ours_is_gone),
        TEST(test_what_is_not_our_file_stays),
        TEST(test_a_folder_that_is_not_there),
        TEST(test_a_file_that_loses_its_name_is_not_the_lock),
        TEST(test_letting_go_spares_the_file_of_somebody_else),
        TEST(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
