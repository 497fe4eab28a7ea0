/* The program under test as a process of its own, with pipes for its standard streams. Included after cmocka.h. */
#ifndef TESTS_USMP_PROGRAM_H
#define TESTS_USMP_PROGRAM_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROGRAM_TEXT_MAX ((size_t)4 << 20)
#define PROGRAM_DESCRIPTORS 2

struct program_text {
    int descriptor; /* -1 at its end */
    size_t size;
    char *bytes; /* with a NUL behind them */
};

struct program {
    pid_t process;      /* 0: none */
    int input;          /* non-blocking; -1: closed */
    bool leaves_output; /* does not read what the program prints */
    struct program_text output;
    struct program_text errors;
};

/* Runs the built `usmp` with these arguments, up to a NULL. */
void program_start(struct program *program, const char *const *arguments);
/* The same from a shell, in which "$0" is the program. */
void program_start_shell(struct program *program, const char *command);
/* Kills it if it is still there, and frees everything. */
void program_end(struct program *program);

/* How much of it went into the pipe. */
size_t program_write(struct program *program, const void *bytes, size_t size);
void program_close_input(struct program *program);
void program_close_output(struct program *program);

void program_prepare(const struct program *program, struct pollfd descriptors[static PROGRAM_DESCRIPTORS]);
void program_service(struct program *program, const struct pollfd descriptors[static PROGRAM_DESCRIPTORS]);

/* Both outputs are at their end. */
bool program_is_silent(const struct program *program);
/* Waits for the end of a silent one: its exit status, or 128 and the signal. */
int program_exit_status(struct program *program);

#endif
