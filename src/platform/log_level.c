#include "platform/log_level.h"

#include <assert.h>
#include <stddef.h>
#include <syslog.h>

static const struct {
    const char *name;
    unsigned priority;
} LEVELS[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
    [LOG_LEVEL_WARN] = {"warn", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

const char *log_level_name(enum log_level level)
{
    assert((size_t)level < sizeof LEVELS / sizeof LEVELS[0]);
    return LEVELS[level].name;
}

unsigned log_level_priority(enum log_level level)
{
    assert((size_t)level < sizeof LEVELS / sizeof LEVELS[0]);
    return LEVELS[level].priority;
}
