#ifndef PLATFORM_NOTIFY_H
#define PLATFORM_NOTIFY_H

#include <stdint.h>

/* What the service manager is told (sd_notify(3)). Without NOTIFY_SOCKET every call does nothing; a manager that
 * cannot be reached is no reason to stop working, so none returns an error. */

void notify_ready(void); /* after start and at the end of every reload, whatever came of it */
void notify_reloading(uint64_t monotonic_us);
void notify_stopping(void);

/* One line for `systemctl status`; control characters in it are escaped. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often notify_watchdog() is to be called: half of WatchdogSec; 0 when there is none. */
uint64_t notify_watchdog_interval_us(void);
void notify_watchdog(void);

#endif
