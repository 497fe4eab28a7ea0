#ifndef PLATFORM_SYSTEM_CALLS_H
#define PLATFORM_SYSTEM_CALLS_H

/* Which system calls the process may make once it has started: what usmpd, libuv, libcrypto, libsystemd and the C
 * library need from there on, while it serves, reads its files again and stops.
 *
 * What is not on the list fails with ENOSYS, as on a kernel that does not have it: the C library then takes an older
 * call, where EPERM would be the end of what was wanted, and a later release of a library makes calls that nobody has
 * thought of here. The audit log of the kernel names each, where it is on. What no library tries and an intruder needs
 * (executing a file, looking into other processes, mounting, kernel modules, becoming another user) ends the process
 * at once, with SIGSYS. Memory can be made executable by nobody, new threads are possible and new processes are not,
 * and new sockets are those of Unix, which the log and the service manager are spoken to with.
 *
 * libseccomp saves us the BPF by hand, a number for each call and architecture, and the checks for foreign ABIs.
 *
 * All threads of the process and those that it makes later are held by it; it cannot be taken off. Returns 0 or a
 * negative errno: -EINVAL where the kernel has no filters, -EACCES without no_new_privs, -ENOMEM. Nothing is filtered
 * after a failure. */
int system_calls_confine(void) __attribute__((warn_unused_result));

#endif
