#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "usmp/program.h"

#define ARGUMENTS_MAX 32

struct pipe {
    int reader;
    int writer;
};

static struct pipe open_pipe(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    return (struct pipe){ends[0], ends[1]};
}

static void open_text(struct program_text *text, int descriptor)
{
    text->descriptor = descriptor;
    text->size = 0;
    text->bytes = calloc(1, PROGRAM_TEXT_MAX);
    assert_non_null(text->bytes);
}

static void close_text(struct program_text *text)
{
    if (text->descriptor >= 0)
        close(text->descriptor);
    text->descriptor = -1;
}

static void spawn(struct program *program, char **argv)
{
    struct pipe input = open_pipe();
    struct pipe output = open_pipe();
    struct pipe errors = open_pipe();
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, input.reader, STDIN_FILENO), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, output.writer, STDOUT_FILENO), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, errors.writer, STDERR_FILENO), 0);
    assert_int_equal(posix_spawn(&program->process, argv[0], &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(input.reader);
    close(output.writer);
    close(errors.writer);
    assert_int_equal(fcntl(input.writer, F_SETFL, O_NONBLOCK), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    program->input = input.writer;
    program->leaves_output = false;
    open_text(&program->output, output.reader);
    open_text(&program->errors, errors.reader);
}

void program_start(struct program *program, const char *const *arguments)
{
    char *argv[ARGUMENTS_MAX + 2] = {strdup(USMP_PROGRAM)};
    size_t count = 1;
    for (; *arguments != NULL; arguments++) {
        assert_true(count <= ARGUMENTS_MAX);
        argv[count++] = strdup(*arguments);
    }
    spawn(program, argv);
    for (size_t i = 0; i < count; i++)
        free(argv[i]);
}

void program_start_shell(struct program *program, const char *command)
{
    char *argv[] = {strdup("/bin/sh"), strdup("-c"), strdup(command), strdup(USMP_PROGRAM), NULL};
    spawn(program, argv);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
}

void program_end(struct program *program)
{
    if (program->process != 0) {
        kill(program->process, SIGKILL);
        (void)waitpid(program->process, NULL, 0);
        program->process = 0;
    }
    program_close_input(program);
    close_text(&program->output);
    close_text(&program->errors);
    free(program->output.bytes);
    free(program->errors.bytes);
    program->output.bytes = NULL;
    program->errors.bytes = NULL;
}

size_t program_write(struct program *program, const void *bytes, size_t size)
{
    ssize_t written = write(program->input, bytes, size);
    if (written < 0)
        assert_int_equal(errno, EAGAIN);
    return written < 0 ? 0 : (size_t)written;
}

void program_close_input(struct program *program)
{
    if (program->input >= 0)
        close(program->input);
    program->input = -1;
}

void program_close_output(struct program *program)
{
    close_text(&program->output);
}

void program_prepare(const struct program *program, struct pollfd descriptors[static PROGRAM_DESCRIPTORS])
{
    int output = program->leaves_output ? -1 : program->output.descriptor;
    descriptors[0] = (struct pollfd){.fd = output, .events = POLLIN};
    descriptors[1] = (struct pollfd){.fd = program->errors.descriptor, .events = POLLIN};
}

static void read_text(struct program_text *text)
{
    size_t room = PROGRAM_TEXT_MAX - 1 - text->size;
    assert_true(room > 0);
    ssize_t count = read(text->descriptor, text->bytes + text->size, room);
    if (count <= 0)
        close_text(text);
    else
        text->size += (size_t)count;
}

void program_service(struct program *program, const struct pollfd descriptors[static PROGRAM_DESCRIPTORS])
{
    if (descriptors[0].revents != 0)
        read_text(&program->output);
    if (descriptors[1].revents != 0)
        read_text(&program->errors);
}

bool program_is_silent(const struct program *program)
{
    return program->output.descriptor < 0 && program->errors.descriptor < 0;
}

int program_exit_status(struct program *program)
{
    int status;
    assert_int_equal(waitpid(program->process, &status, 0), program->process);
    program->process = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
