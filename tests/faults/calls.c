/* Each call that does nothing but return something else when it fails. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <seccomp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <uv.h>
#include <yaml.h>

#include "faults/plan.h"

#define FAULT_ERRNO(value) (errno = error, (value))

#define CALL_BY_HAND(name)
#define CALL(result, name, parameters, arguments, failure, usual_error)                                                \
    result __real_##name parameters;                                                                                   \
    result __wrap_##name parameters;                                                                                   \
    result __wrap_##name parameters                                                                                    \
    {                                                                                                                  \
        struct fault fault = fault_at(#name, __builtin_return_address(0));                                             \
        if (fault.kind == FAULT_ERROR) {                                                                               \
            int error = fault.error != 0 ? fault.error : (usual_error);                                                \
            return failure;                                                                                            \
        }                                                                                                              \
        return __real_##name arguments;                                                                                \
    }

#include "faults/calls.def"
