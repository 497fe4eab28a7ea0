/* Calls with variadic parameters, and those that fail in more ways than by what they return. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <uv.h>
#include <yaml.h>

#include "faults/plan.h"

#define STATE_SIZE 512u

static bool fails(const char *name, const void *caller, int usual_error)
{
    struct fault fault = fault_at(name, caller);
    if (fault.kind == FAULT_ERROR) {
        errno = fault.error != 0 ? fault.error : usual_error;
    }
    return fault.kind == FAULT_ERROR;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fails("open", __builtin_return_address(0), EMFILE) ? -1 : __real_open(path, flags, mode);
}

int __real_fcntl(int descriptor, int command, ...);
int __wrap_fcntl(int descriptor, int command, ...);
int __wrap_fcntl(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    int value = command == F_GETFD || command == F_GETFL ? 0 : va_arg(arguments, int);
    va_end(arguments);
    return fails("fcntl", __builtin_return_address(0), EBADF) ? -1 : __real_fcntl(descriptor, command, value);
}

int __real_prctl(int option, ...);
int __wrap_prctl(int option, ...);
int __wrap_prctl(int option, ...)
{
    va_list arguments;
    va_start(arguments, option);
    unsigned long value = va_arg(arguments, int) != 0 ? 1 : 0; /* of those that usmpd uses, all are flags */
    va_end(arguments);
    return fails("prctl", __builtin_return_address(0), EINVAL) ? -1 : __real_prctl(option, value, 0ul, 0ul, 0ul);
}

ssize_t __real_send(int descriptor, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int descriptor, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int descriptor, const void *bytes, size_t size, int flags)
{
    struct fault fault = fault_at("send", __builtin_return_address(0));
    if (fault.kind == FAULT_ERROR) {
        errno = fault.error != 0 ? fault.error : EPIPE;
        return -1;
    }
    return __real_send(descriptor, bytes, fault.kind == FAULT_SHORT && size > 1 ? 1 : size, flags);
}

ssize_t __real_write(int descriptor, const void *bytes, size_t size);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size)
{
    struct fault fault = fault_at("write", __builtin_return_address(0));
    if (fault.kind == FAULT_ERROR) {
        errno = fault.error != 0 ? fault.error : EIO;
        return -1;
    }
    return __real_write(descriptor, bytes, fault.kind == FAULT_SHORT && size > 1 ? 1 : size);
}

int __real_sd_notify(int unset, const char *state);
int __wrap_sd_notifyf(int unset, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_sd_notifyf(int unset, const char *format, ...)
{
    char state[STATE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(state, sizeof state, format, arguments);
    va_end(arguments);
    return fails("sd_notifyf", __builtin_return_address(0), ENOBUFS) ? -errno : __real_sd_notify(unset, state);
}

json_t *__real_json_loadb(const char *text, size_t size, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *error)
{
    if (!fails("json_loadb", __builtin_return_address(0), ENOMEM)) {
        return __real_json_loadb(text, size, flags, error);
    }
    *error = (json_error_t){.line = -1};
    return NULL;
}

int __real_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);
int __wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event);
int __wrap_yaml_parser_parse(yaml_parser_t *parser, yaml_event_t *event)
{
    if (!fails("yaml_parser_parse", __builtin_return_address(0), ENOMEM)) {
        return __real_yaml_parser_parse(parser, event);
    }
    parser->error = YAML_MEMORY_ERROR;
    return 0;
}

int __real_uv_try_write(uv_stream_t *stream, const uv_buf_t *buffers, unsigned count);
int __wrap_uv_try_write(uv_stream_t *stream, const uv_buf_t *buffers, unsigned count);
int __wrap_uv_try_write(uv_stream_t *stream, const uv_buf_t *buffers, unsigned count)
{
    struct fault fault = fault_at("uv_try_write", __builtin_return_address(0));
    if (fault.kind == FAULT_ERROR) {
        return -(fault.error != 0 ? fault.error : EAGAIN);
    }
    uv_buf_t first = uv_buf_init(buffers[0].base, 1);
    return fault.kind == FAULT_SHORT ? __real_uv_try_write(stream, &first, 1)
                                     : __real_uv_try_write(stream, buffers, count);
}
