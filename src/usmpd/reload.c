#include "usmpd/reload.h"

#include "admission/admission.h"
#include "admission/configured_limits.h"
#include "config/config.h"
#include "platform/clock.h"
#include "platform/log.h"
#include "platform/notify.h"
#include "registry/load.h"
#include "worker/worker.h"

void reload_open(struct reload *reload, uv_loop_t *loop, const struct config *started, const uint8_t *boot_secret)
{
    *reload = (struct reload){.loop = loop, .started = started, .running = started, .boot_secret = boot_secret};
    reload->work.data = reload;
}

void reload_serve(struct reload *reload, struct worker *worker, struct admission *admission)
{
    reload->worker = worker;
    reload->admission = admission;
}

const struct config *reload_config(const struct reload *reload)
{
    return reload->running;
}

static void log_diagnostic(void *context, enum diagnostics_severity severity, const char *text)
{
    (void)context;
    log_write(severity == DIAGNOSTICS_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, LOG_FIELDS(log_string("problem", text)),
              "configuration");
}

void reload_log_diagnostics(const struct diagnostics *diagnostics)
{
    diagnostics_each(diagnostics, log_diagnostic, NULL);
}

/* On a thread of libuv's pool. */
static void read_files(uv_work_t *work)
{
    struct reload *reload = work->data;
    reload->diagnostics = diagnostics_open();
    if (reload->diagnostics == NULL) {
        return;
    }
    reload->config = config_reload(reload->running, &reload->changes, reload->diagnostics);
    if (reload->config != NULL) {
        reload->registry = registry_load(reload->config, reload->boot_secret, reload->diagnostics);
    }
}

static void free_owned(struct reload *reload, const struct config *config)
{
    if (config != reload->started) {
        union {
            const struct config *in;
            struct config *out;
        } owned = {.in = config};
        config_free(owned.out);
    }
}

static void log_changes(const struct config_changes *changes)
{
    static const struct {
        const char *message;
        enum log_level level;
    } WORDS[CONFIG_EFFECTS] = {
        [CONFIG_EFFECT_NOW] = {"changed keys that are in force", LOG_LEVEL_INFO},
        [CONFIG_EFFECT_NEW_SESSIONS] = {"changed keys that are in force for new sessions", LOG_LEVEL_INFO},
        [CONFIG_EFFECT_NEXT_START] = {"changed keys that need a restart", LOG_LEVEL_WARN},
    };
    log_write(LOG_LEVEL_INFO, NULL, "configuration and registry read again");
    for (size_t effect = 0; effect < CONFIG_EFFECTS; effect++) {
        if (changes->count[effect] > 0) {
            log_write(WORDS[effect].level, LOG_FIELDS(log_string("keys", changes->text[effect])), "%s",
                      WORDS[effect].message);
        }
    }
}

/* False: nothing has changed. */
static bool take_over(struct reload *reload)
{
    struct admission_limits limits = admission_configured_limits(reload->config);
    if (!admission_configure(reload->admission, &limits)) {
        log_write(LOG_LEVEL_ERROR, NULL, "out of memory for the new limits");
        return false;
    }
    const struct config *old = reload->running;
    reload->running = reload->config;
    reload->config = NULL;
    log_configure(reload->running->log.level, reload->running->log.format);
    worker_reload(reload->worker, reload->running, reload->registry);
    free_owned(reload, old);
    log_changes(&reload->changes);
    return true;
}

static bool is_whole(const struct reload *reload)
{
    if (reload->diagnostics == NULL) {
        log_write(LOG_LEVEL_ERROR, NULL, "out of memory for reading the configuration again");
        return false;
    }
    reload_log_diagnostics(reload->diagnostics);
    return reload->config != NULL && reload->registry != NULL && diagnostics_errors(reload->diagnostics) == 0;
}

/* What was not taken over; of the registry, the worker has its own reference. */
static void free_read(struct reload *reload)
{
    registry_release(reload->registry);
    reload->registry = NULL;
    config_free(reload->config);
    reload->config = NULL;
    diagnostics_close(reload->diagnostics);
    reload->diagnostics = NULL;
}

static void on_read(uv_work_t *work, int status)
{
    struct reload *reload = work->data;
    (void)status; /* nobody cancels it */
    reload->busy = false;
    if (reload->worker == NULL) {
        free_read(reload);
        return;
    }
    if (!is_whole(reload) || !take_over(reload)) {
        log_write(LOG_LEVEL_ERROR, NULL, "everything stays as it was");
    }
    free_read(reload);
    notify_ready();
    if (reload->again) {
        reload->again = false;
        reload_request(reload);
    }
}

void reload_request(struct reload *reload)
{
    if (reload->worker == NULL) {
        return;
    }
    if (reload->busy) {
        reload->again = true;
        return;
    }
    notify_reloading(clock_monotonic_us());
    reload->busy = uv_queue_work(reload->loop, &reload->work, read_files, on_read) == 0;
    if (!reload->busy) {
        log_write(LOG_LEVEL_ERROR, NULL, "cannot read the configuration again: no thread");
        notify_ready();
    }
}

void reload_end(struct reload *reload)
{
    reload->worker = NULL;
}

void reload_close(struct reload *reload)
{
    reload_end(reload);
    while (reload->busy) {
        uv_run(reload->loop, UV_RUN_ONCE);
    }
    free_owned(reload, reload->running);
    reload->running = reload->started;
}
