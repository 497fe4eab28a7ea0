#include "platform/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "platform/log.h"
#include "platform/system_calls.h"

static void warn(const char *what, int failure)
{
    log_write(LOG_LEVEL_WARN, LOG_FIELDS(log_string("error", strerror(failure))), "%s", what);
}

void sandbox_enter(void)
{
    /* The kernel takes the filter only from a process that does this first. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        warn("sandbox: the kernel does not let usmpd give up gaining privileges", errno);
    int result = system_calls_confine();
    if (result != 0)
        warn("sandbox: the kernel does not let usmpd confine its system calls", -result);
}
