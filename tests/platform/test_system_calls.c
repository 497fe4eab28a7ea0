#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "platform/child.h"
#include "platform/system_calls.h"

enum {
    AS_EXPECTED = 0,
    NOT_CONFINED,
    UNEXPECTED,
};

#define KILLED (128 + SIGSYS)

static bool confine(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && system_calls_confine() == 0;
}

/* What each of these returns: whether all is as it should be. */
static bool is_refused(long result)
{
    return result == -1 && errno == ENOSYS;
}

static bool no_socket_but_those_of_unix(void)
{
    return is_refused(socket(AF_INET, SOCK_STREAM, 0)) && is_refused(socket(AF_INET6, SOCK_DGRAM, 0)) &&
           is_refused(socket(AF_NETLINK, SOCK_RAW, 0)) && socket(AF_UNIX, SOCK_DGRAM, 0) >= 0;
}

static bool no_way_out_over_sockets(void)
{
    return is_refused(connect(0, NULL, 0)) && is_refused(bind(0, NULL, 0)) && is_refused(listen(0, 1));
}

static bool no_executable_memory(void)
{
    void *plain = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *executable = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return plain != MAP_FAILED && executable == MAP_FAILED && errno == ENOSYS &&
           is_refused(mprotect(plain, 4096, PROT_READ | PROT_EXEC)) && mprotect(plain, 4096, PROT_READ) == 0;
}

static bool no_new_process(void)
{
    return is_refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)) && is_refused(syscall(SYS_clone3, NULL, 0));
}

static bool no_changes_to_files(void)
{
    return is_refused(syscall(SYS_fchmodat, AT_FDCWD, "/nowhere", 0777)) &&
           is_refused(syscall(SYS_renameat2, AT_FDCWD, "/nowhere", AT_FDCWD, "/elsewhere", 0)) &&
           is_refused(syscall(SYS_mkdirat, AT_FDCWD, "/nowhere", 0777));
}

static bool no_call_that_is_unknown(void)
{
    return is_refused(syscall(100000));
}

static void *write_one(void *context)
{
    *(int *)context = 1;
    return NULL;
}

static bool threads_as_before(void)
{
    pthread_t thread;
    int written = 0;
    return pthread_create(&thread, NULL, write_one, &written) == 0 && pthread_join(thread, NULL) == 0 && written == 1;
}

static bool files_as_before(void)
{
    int descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    char byte;
    return descriptor >= 0 && read(descriptor, &byte, 1) == 1 && close(descriptor) == 0;
}

static void *wait_for_filter(void *context)
{
    const int *pipe_end = context;
    char byte;
    if (read(*pipe_end, &byte, 1) != 1)
        return NULL;
    return is_refused(socket(AF_INET, SOCK_STREAM, 0)) ? context : NULL;
}

static int look(void *context)
{
    bool (*const *holds)(void) = context;
    if (!confine())
        return NOT_CONFINED;
    return (*holds)() ? AS_EXPECTED : UNEXPECTED;
}

static void test_what_is_refused_and_what_is_not(void **state)
{
    (void)state;
    bool (*all[])(void) = {no_socket_but_those_of_unix, no_way_out_over_sockets, no_executable_memory, no_new_process,
                           no_changes_to_files,         no_call_that_is_unknown, threads_as_before,    files_as_before};
    for (size_t index = 0; index < sizeof all / sizeof *all; index++)
        assert_int_equal(child_run(look, &all[index]), AS_EXPECTED);
}

static int confine_beside_a_thread(void *context)
{
    int ends[2];
    pthread_t thread;
    void *refused = NULL;
    (void)context;
    if (pipe2(ends, O_CLOEXEC) != 0 || pthread_create(&thread, NULL, wait_for_filter, &ends[0]) != 0)
        return UNEXPECTED;
    if (!confine())
        return NOT_CONFINED;
    if (write(ends[1], "", 1) != 1 || pthread_join(thread, &refused) != 0)
        return UNEXPECTED;
    return refused != NULL ? AS_EXPECTED : UNEXPECTED;
}

static void test_threads_that_are_there_are_held_too(void **state)
{
    (void)state;
    assert_int_equal(child_run(confine_beside_a_thread, NULL), AS_EXPECTED);
}

static int make_call(void *context)
{
    const long *number = context;
    if (!confine())
        return NOT_CONFINED;
    (void)syscall(*number, 0, 0, 0, 0, 0, 0);
    return UNEXPECTED;
}

static void test_an_intruders_calls_end_the_process(void **state)
{
    (void)state;
    long deadly[] = {SYS_execve, SYS_execveat, SYS_process_vm_readv, SYS_mount, SYS_setuid, SYS_init_module, SYS_bpf};
    for (size_t index = 0; index < sizeof deadly / sizeof *deadly; index++)
        assert_int_equal(child_run(make_call, &deadly[index]), KILLED);
}

static int confine_without_no_new_privileges(void *context)
{
    (void)context;
    /* As an ordinary user; root may do it either way. */
    if (geteuid() == 0 && setuid(65534) != 0)
        return NOT_CONFINED;
    return system_calls_confine() == -EACCES && socket(AF_INET, SOCK_STREAM, 0) >= 0 ? AS_EXPECTED : UNEXPECTED;
}

static void test_a_refusal_is_told_and_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(child_run(confine_without_no_new_privileges, NULL), AS_EXPECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_refused_and_what_is_not),
        cmocka_unit_test(test_threads_that_are_there_are_held_too),
        cmocka_unit_test(test_an_intruders_calls_end_the_process),
        cmocka_unit_test(test_a_refusal_is_told_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
