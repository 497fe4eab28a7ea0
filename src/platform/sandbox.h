#ifndef PLATFORM_SANDBOX_H
#define PLATFORM_SANDBOX_H

/* What the process takes away from itself (key `sandbox` of the configuration): it and its children never gain
 * privileges by executing a file, and it makes only the system calls that it needs (platform/system_calls.h).
 *
 * To be called once, at the end of the start: everything that needs a name of a user or group, a privilege or a socket
 * is there by then (docs/security.md rule 25). A kernel, a container or an emulator may refuse either; that is no reason
 * not to serve, since both stand behind defences that do not need them, so it is a warning in the log. */
void sandbox_enter(void);

#endif
