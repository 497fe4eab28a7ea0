#include "platform/sandbox.h"

#include <errno.h>
#include <sys/prctl.h>

int sandbox_enter(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -errno;
    return 0;
}
