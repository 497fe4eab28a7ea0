#include "usmpd/status.h"

#include "delivery/hub.h"
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

static void show(struct status *status)
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

static void on_due(uv_timer_t *timer)
{
    struct status *status = timer->data;
    status->is_due = false;
    show(status);
}

void status_open(struct status *status, uv_loop_t *loop)
{
    *status = (struct status){.worker = NULL};
    uv_timer_init(loop, &status->timer);
    uv_unref((uv_handle_t *)&status->timer);
    status->timer.data = status;
}

void status_watch(struct status *status, const struct worker *worker, const struct hub *hub)
{
    status->worker = worker;
    status->hub = hub;
    show(status);
}

void status_touch(struct status *status)
{
    if (status->worker != NULL && !status->is_due) {
        status->is_due = true;
        uv_timer_start(&status->timer, on_due, STATUS_INTERVAL, 0);
    }
}

void status_close(struct status *status)
{
    status->worker = NULL;
    uv_close((uv_handle_t *)&status->timer, NULL);
}
