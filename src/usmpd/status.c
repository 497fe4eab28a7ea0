#include "usmpd/status.h"

#include "delivery/hub.h"
#include "platform/log.h"
#include "platform/notify.h"
#include "worker/worker.h"

#define STATUS_INTERVAL 1000u /* milliseconds */

static size_t connected_backends(const struct hub *hub)
{
    size_t connected = 0;
    for (size_t index = 0; index < hub_backend_count(hub); index++) {
        connected += hub_backend_counters(hub, index)->connected ? 1 : 0;
    }
    return connected;
}

static bool has_changed(const struct status *status)
{
    struct worker_status worker = worker_status(status->worker);
    return worker.sessions != status->sessions || worker.datagrams_lost != status->datagrams_lost ||
           connected_backends(status->hub) != status->backends;
}

static void show_line(struct status *status)
{
    size_t sessions = worker_status(status->worker).sessions;
    size_t backends = connected_backends(status->hub);
    if (status->shown && sessions == status->sessions && backends == status->backends) {
        return;
    }
    status->shown = true;
    status->sessions = sessions;
    status->backends = backends;
    notify_status("%zu sessions, %zu backends connected", sessions, backends);
}

static void log_lost_datagrams(struct status *status)
{
    uint64_t lost = worker_status(status->worker).datagrams_lost;
    if (lost != status->datagrams_lost) {
        log_write(LOG_LEVEL_WARN, LOG_FIELDS(log_number("datagrams", (int64_t)(lost - status->datagrams_lost))),
                  "the kernel dropped datagrams that came faster than they were read; see net.core.rmem_max");
        status->datagrams_lost = lost;
    }
}

static void on_due(uv_timer_t *timer)
{
    struct status *status = timer->data;
    status->is_due = false;
    if (status->worker != NULL) {
        show_line(status);
        log_lost_datagrams(status);
    }
}

static void on_turn(uv_prepare_t *turn)
{
    status_touch(turn->data);
}

void status_open(struct status *status, uv_loop_t *loop)
{
    *status = (struct status){.worker = NULL};
    uv_timer_init(loop, &status->timer);
    uv_prepare_init(loop, &status->turn);
    uv_unref((uv_handle_t *)&status->timer);
    uv_unref((uv_handle_t *)&status->turn);
    status->timer.data = status;
    status->turn.data = status;
}

void status_watch(struct status *status, const struct worker *worker, const struct hub *hub)
{
    status->worker = worker;
    status->hub = hub;
    show_line(status);
    uv_prepare_start(&status->turn, on_turn);
}

void status_touch(struct status *status)
{
    if (status->worker != NULL && !status->is_due && has_changed(status)) {
        status->is_due = true;
        uv_timer_start(&status->timer, on_due, STATUS_INTERVAL, 0);
    }
}

void status_close(struct status *status)
{
    status->worker = NULL;
    uv_close((uv_handle_t *)&status->timer, NULL);
    uv_close((uv_handle_t *)&status->turn, NULL);
}
