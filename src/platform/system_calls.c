#define _GNU_SOURCE
#include "platform/system_calls.h"

#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER true
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER false
#endif

/* Names that an architecture does not have are passed over by libseccomp. */
static const int ALLOWED[] = {
    /* Sockets. */
    SCMP_SYS(accept4),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    /* The loop. */
    SCMP_SYS(close),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(fcntl),
    SCMP_SYS(pipe2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    /* The files of a reload, and the sockets and locks of backends at the end. */
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(getcwd),
    SCMP_SYS(lseek),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(pread64),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(stat),
    SCMP_SYS(statx),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    /* Memory. */
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(mremap),
    SCMP_SYS(munlock),
    SCMP_SYS(munmap),
    /* Threads, signals, the end. */
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(futex),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(tgkill),
    /* What the process asks about itself and the time. */
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrlimit),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getuid),
    SCMP_SYS(nanosleep),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
};

/* No library falls back to these, so whoever makes one has taken the process over. */
static const int DEADLY[] = {
    SCMP_SYS(acct),
    SCMP_SYS(add_key),
    SCMP_SYS(bpf),
    SCMP_SYS(chroot),
    SCMP_SYS(delete_module),
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(finit_module),
    SCMP_SYS(init_module),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(kexec_load),
    SCMP_SYS(keyctl),
    SCMP_SYS(mount),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(open_tree),
    SCMP_SYS(pivot_root),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(reboot),
    SCMP_SYS(request_key),
    SCMP_SYS(setgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(setns),
    SCMP_SYS(setregid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setuid),
    SCMP_SYS(swapon),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
    SCMP_SYS(userfaultfd),
};

/* What a sanitizer does when it looks for leaks, or explains what it has found. */
static const int OF_SANITIZERS[] = {
    SCMP_SYS(arch_prctl), SCMP_SYS(dup2), SCMP_SYS(getdents), SCMP_SYS(getdents64),
    SCMP_SYS(getppid),    SCMP_SYS(kill), SCMP_SYS(prctl),    SCMP_SYS(ptrace),
    SCMP_SYS(setrlimit),  SCMP_SYS(time), SCMP_SYS(wait4),
};

#ifdef __s390__
#define CLONE_FLAGS 1u /* which argument they are */
#else
#define CLONE_FLAGS 0u
#endif
/* A sanitizer looks for leaks in a process of its own that shares our memory. */
#define KIND_OF_CLONE ((scmp_datum_t)(HAS_SANITIZER ? CLONE_VM : CLONE_THREAD))

static int add_each(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        int result = seccomp_rule_add_array(filter, action, calls[index], 0, NULL);
        if (result != 0)
            return result;
    }
    return 0;
}

/* Calls that one of their arguments makes harmless. */
static int add_with_argument(scmp_filter_ctx filter)
{
    static const struct {
        int call;
        struct scmp_arg_cmp argument;
    } rules[] = {
        {SCMP_SYS(mmap), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
        {SCMP_SYS(mprotect), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
        {SCMP_SYS(clone), {CLONE_FLAGS, SCMP_CMP_MASKED_EQ, KIND_OF_CLONE, KIND_OF_CLONE}},
        {SCMP_SYS(socket), {0, SCMP_CMP_EQ, AF_UNIX, 0}},
        {SCMP_SYS(ioctl), {1, SCMP_CMP_EQ, FIONBIO, 0}},
        {SCMP_SYS(prlimit64), {2, SCMP_CMP_EQ, 0, 0}}, /* asks, and sets nothing */
        {SCMP_SYS(prctl), {0, SCMP_CMP_EQ, PR_SET_NAME, 0}},
    };
    for (size_t index = 0; index < sizeof rules / sizeof *rules; index++) {
        int result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rules[index].call, 1, &rules[index].argument);
        if (result != 0)
            return result;
    }
    return 0;
}

static int add_rules(scmp_filter_ctx filter)
{
    int result = add_each(filter, SCMP_ACT_ALLOW, ALLOWED, sizeof ALLOWED / sizeof *ALLOWED);
    if (result == 0)
        result = add_with_argument(filter);
    if (result == 0)
        result = add_each(filter, SCMP_ACT_KILL_PROCESS, DEADLY, sizeof DEADLY / sizeof *DEADLY);
    if (result == 0 && HAS_SANITIZER)
        return add_each(filter, SCMP_ACT_ALLOW, OF_SANITIZERS, sizeof OF_SANITIZERS / sizeof *OF_SANITIZERS);
    return result == 0 ? seccomp_rule_add_array(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(ptrace), 0, NULL) : result;
}

int system_calls_confine(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL)
        return -ENOMEM;
    int result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0); /* sandbox.c has set it */
    /* Of every thread; and what is refused is logged, as far as the kernel can do either. */
    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (result == 0)
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
    if (result == 0)
        result = add_rules(filter);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}
