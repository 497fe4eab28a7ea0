#include "platform/core_files.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int core_files_forbid(void)
{
    /* The limit alone is not enough: a core_pattern that is a pipe ignores it. */
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return -errno;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return -errno;
    return 0;
}
