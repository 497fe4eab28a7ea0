#ifndef PLATFORM_LOG_LEVEL_H
#define PLATFORM_LOG_LEVEL_H

/* The order is the one of the configuration; a higher value is written less often. */
enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

/* "error", "warn", "info", "debug". */
const char *log_level_name(enum log_level level);

/* The priority of syslog(3): 3, 4, 6, 7. */
unsigned log_level_priority(enum log_level level);

#endif
