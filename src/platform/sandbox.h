#ifndef PLATFORM_SANDBOX_H
#define PLATFORM_SANDBOX_H

/* What the process takes away from itself (key `sandbox` of the configuration): it and its children never gain
 * privileges by executing a file. The system-call filter that belongs beside it stands on this. Called at the end of
 * the start, once everything that needs a name or a privilege is open. Returns 0 or a negative errno. */
int sandbox_enter(void) __attribute__((warn_unused_result));

#endif
