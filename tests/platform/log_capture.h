#ifndef TESTS_PLATFORM_LOG_CAPTURE_H
#define TESTS_PLATFORM_LOG_CAPTURE_H

/* A pipe in the place of standard error. Included after cmocka.h; _GNU_SOURCE. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct log_capture {
    int original;
    int reading;
};

static inline void log_capture_begin(struct log_capture *capture)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    capture->original = dup(STDERR_FILENO);
    assert_true(capture->original >= 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(close(ends[1]), 0);
    capture->reading = ends[0];
}

/* What was written since the last call, as text. */
static inline size_t log_capture_read(const struct log_capture *capture, char *text, size_t size)
{
    size_t total = 0;
    ssize_t length;
    while (total < size - 1 && (length = read(capture->reading, text + total, size - 1 - total)) > 0)
        total += (size_t)length;
    text[total] = '\0';
    return total;
}

static inline void log_capture_end(struct log_capture *capture)
{
    assert_int_equal(dup2(capture->original, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(close(capture->original), 0);
    assert_int_equal(close(capture->reading), 0);
}

#endif
