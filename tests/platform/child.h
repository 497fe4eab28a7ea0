#ifndef TESTS_PLATFORM_CHILD_H
#define TESTS_PLATFORM_CHILD_H

/* Runs something that would change or end the test's own process in a forked one. Included after cmocka.h. */

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's exit status; 128 and more: ended by a signal. `work` must not use cmocka's assertions, which jump. */
static inline int child_run(int (*work)(void *context), void *context)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(work(context));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
