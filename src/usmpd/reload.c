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

static void take_over(struct reload *reload)
{
    struct admission_limits limits = admission_configured_limits(reload->config);
    if (!admission_configure(reload->admission, &limits)) {
        log_write(LOG_LEVEL_ERROR, NULL, "no memory for the new limits: the configuration stays as it was");
        config_free(reload->config);
        registry_release(reload->registry);
        return;
    }
    const struct config *old = reload->running;
    reload->running = reload->config;
    log_configure(reload->running->log.level, reload->running->log.format);
    worker_reload(reload->worker, reload->running, reload->registry);
    registry_release(reload->registry);
    free_owned(reload, old);
    log_changes(&reload->changes);
}

static void drop(struct reload *reload)
{
    config_free(reload->config);
    registry_release(reload->registry);
    log_write(LOG_LEVEL_ERROR, NULL, "the configuration has errors: everything stays as it was");
}

static void on_read(uv_work_t *work, int status)
{
    struct reload *reload = work->data;
    reload->busy = false;
    if (reload->diagnostics != NULL) {
        reload_log_diagnostics(reload->diagnostics);
    }
    bool whole = status == 0 && reload->config != NULL && reload->registry != NULL &&
                 diagnostics_errors(reload->diagnostics) == 0;
    if (whole && reload->worker != NULL) {
        take_over(reload);
    } else {
        drop(reload);
    }
    reload->config = NULL;
    reload->registry = NULL;
    diagnostics_close(reload->diagnostics);
    reload->diagnostics = NULL;
    notify_ready();
    if (reload->again && reload->worker != NULL) {
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

void reload_close(struct reload *reload)
{
    reload->worker = NULL;
    while (reload->busy) {
        uv_run(reload->loop, UV_RUN_ONCE);
    }
    free_owned(reload, reload->running);
    reload->running = reload->started;
}
