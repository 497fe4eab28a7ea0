/* The line that `systemctl status` shows, and what the kernel dropped in the log. It changes at most once a second, and
 * nothing is done for it while nothing changes.
 */
#ifndef USMPD_STATUS_H
#define USMPD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct hub;
struct worker;

struct status {
    uv_timer_t timer;
    uv_prepare_t turn; /* looks for what changes without an event: a backend that comes or goes */
    const struct worker *worker;
    const struct hub *hub;
    bool is_due;
    bool shown;
    size_t sessions; /* as shown */
    size_t backends;
    uint64_t datagrams_lost; /* as logged */
};

void status_open(struct status *status, uv_loop_t *loop);
/* What it is about; before that nothing is shown. */
void status_watch(struct status *status, const struct worker *worker, const struct hub *hub);
/* Something may have changed at the end of a turn. */
void status_touch(struct status *status);
void status_close(struct status *status);

#endif
