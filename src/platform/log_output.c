#include "platform/log_output.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/log_record.h"

void log_output_open(struct log_output *output, int descriptor)
{
    struct stat status;
    bool known = fstat(descriptor, &status) == 0;
    *output = (struct log_output){.descriptor = descriptor, .is_socket = known && S_ISSOCK(status.st_mode)};
}

/* The kernel calls a pipe writable when it takes PIPE_BUF bytes, which no line exceeds, and a terminal when it has not
 * been stopped; somebody else's write in between is the one thing that could still make us wait. */
static bool is_writable(int descriptor)
{
    struct pollfd writable = {.fd = descriptor, .events = POLLOUT};
    /* POLLERR: nobody reads any more, and a write would raise SIGPIPE. */
    return poll(&writable, 1, 0) == 1 && (writable.revents & (POLLOUT | POLLERR)) == POLLOUT;
}

/* How many bytes were taken; 0: none, now or ever. */
static size_t write_some(const struct log_output *output, const char *text, size_t length)
{
    for (;;) {
        if (!output->is_socket && !is_writable(output->descriptor))
            return 0;
        ssize_t taken = output->is_socket ? send(output->descriptor, text, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                                          : write(output->descriptor, text, length);
        if (taken >= 0)
            return (size_t)taken;
        if (errno != EINTR)
            return 0;
    }
}

bool log_output_write(struct log_output *output, const char *line, size_t length)
{
    assert(length <= LOG_LINE_SIZE);
    if (output->line_open) {
        if (write_some(output, "\n", 1) != 1)
            return false;
        output->line_open = false;
    }
    size_t written = 0;
    while (written < length) {
        size_t taken = write_some(output, line + written, length - written);
        if (taken == 0) {
            output->line_open = written > 0;
            return false;
        }
        written += taken;
    }
    return true;
}

bool log_output_is_journal_stream(const struct log_output *output)
{
    struct stat status;
    char expected[48];
    const char *announced = getenv("JOURNAL_STREAM");
    if (announced == NULL || fstat(output->descriptor, &status) != 0)
        return false;
    int length = snprintf(expected, sizeof expected, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    assert(length > 0 && (size_t)length < sizeof expected);
    return strcmp(announced, expected) == 0;
}
