#include "platform/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "platform/escape.h"

#define STATUS_SIZE 256

void notify_ready(void)
{
    (void)sd_notify(0, "READY=1");
}

void notify_reloading(uint64_t monotonic_us)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_us);
}

void notify_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}

void notify_status(const char *format, ...)
{
    char status[STATUS_SIZE];
    char escaped[STATUS_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(status, sizeof status, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    /* A newline would begin another assignment. */
    (void)escape_text(status, strlen(status), escaped, sizeof escaped);
    (void)sd_notifyf(0, "STATUS=%s", escaped);
}

uint64_t notify_watchdog_interval_us(void)
{
    uint64_t timeout_us = 0;
    if (sd_watchdog_enabled(0, &timeout_us) <= 0)
        return 0;
    return timeout_us / 2;
}

void notify_watchdog(void)
{
    (void)sd_notify(0, "WATCHDOG=1");
}
