#include "usmpd/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "admission/admission.h"
#include "admission/configured_limits.h"
#include "config/config.h"
#include "config/diagnostics.h"
#include "crypto/random.h"
#include "crypto/start.h"
#include "delivery/hub.h"
#include "platform/descriptor_limit.h"
#include "platform/inherited_sockets.h"
#include "platform/log.h"
#include "platform/notify.h"
#include "platform/sandbox.h"
#include "platform/secret_memory.h"
#include "registry/load.h"
#include "usmpd/options.h"
#include "usmpd/reload.h"
#include "usmpd/signals.h"
#include "usmpd/status.h"
#include "usmpd_version.h"
#include "worker/worker.h"

struct daemon {
    uv_loop_t loop;
    struct config *config;     /* of the start: what only a start changes is borrowed from it for good */
    struct registry *registry; /* until the worker has it */
    struct admission *admission;
    struct hub *hub;
    struct worker *worker;
    struct reload reload;
    struct status status;
    struct signals signals;
    uv_timer_t shutdown_timer;
    uv_timer_t watchdog;
    unsigned terminations; /* signals to stop so far */
    bool closing;          /* the loop runs for the handles that close only, and must do so */
    size_t unlocked_bytes; /* of keys, when the registry had been loaded */
    int exit_status;
    uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE];
};

/* Start. */

static bool load(struct daemon *daemon, const char *path)
{
    struct diagnostics *diagnostics = diagnostics_open();
    if (diagnostics == NULL) {
        fputs("usmpd: out of memory\n", stderr);
        daemon->exit_status = EXIT_FAILURE;
        return false;
    }
    crypto_random(daemon->boot_secret, sizeof daemon->boot_secret);
    daemon->config = config_load(path, diagnostics);
    if (daemon->config != NULL) {
        config_check_system(daemon->config, diagnostics);
        daemon->registry = registry_load(daemon->config, daemon->boot_secret, diagnostics);
    }
    bool loaded = daemon->config != NULL && daemon->registry != NULL && diagnostics_errors(diagnostics) == 0;
    if (loaded) {
        log_configure(daemon->config->log.level, daemon->config->log.format);
        reload_log_diagnostics(diagnostics);
        config_forget_environment(daemon->config);
    } else {
        diagnostics_print(diagnostics, stderr);
        daemon->exit_status = EXIT_CONFIGURATION;
    }
    diagnostics_close(diagnostics);
    daemon->unlocked_bytes = secret_memory_state(SECRET_MEMORY_KEYS).unlocked_bytes;
    return loaded;
}

static bool fail(struct daemon *daemon, const char *what, const char *why)
{
    log_write(LOG_LEVEL_ERROR, LOG_FIELDS(log_string("error", why)), "%s", what);
    daemon->exit_status = EXIT_FAILURE;
    return false;
}

/* Of the keys in the registry, loading has spoken; there are those of handshakes too. */
static bool check_memory(struct daemon *daemon)
{
    struct secret_memory_state keys = secret_memory_state(SECRET_MEMORY_KEYS);
    if (keys.unlocked_bytes <= daemon->unlocked_bytes) {
        return true;
    }
    if (daemon->config->psk.require_locked_memory) {
        return fail(daemon, "cannot lock the memory of keys, and psk.require_locked_memory asks for it",
                    "raise LimitMEMLOCK= of the service or ulimit -l");
    }
    log_write(LOG_LEVEL_WARN, LOG_FIELDS(log_number("unlocked_bytes", (int64_t)keys.unlocked_bytes)),
              "memory of keys is not locked and may be swapped out; raise LimitMEMLOCK= of the service or ulimit -l");
    return true;
}

static void deliver(void *context, struct seam_outbox *outbox)
{
    struct daemon *daemon = context;
    hub_receive(daemon->hub, worker_inbox(daemon->worker), outbox);
    status_touch(&daemon->status);
}

static bool open_worker(struct daemon *daemon, struct inherited_sockets *inherited)
{
    struct error_text error;
    struct worker_options options = {.loop = &daemon->loop,
                                     .config = daemon->config,
                                     .registry = daemon->registry,
                                     .admission = daemon->admission,
                                     .inherited = inherited,
                                     .deliver = deliver,
                                     .context = daemon};
    daemon->worker = worker_open(&options, &error);
    if (daemon->worker == NULL) {
        return fail(daemon, "cannot start", error.text);
    }
    return true;
}

static bool open_parts(struct daemon *daemon)
{
    struct error_text error;
    struct inherited_sockets inherited;
    uint8_t hash_key[16];
    struct admission_limits limits = admission_configured_limits(daemon->config);
    crypto_random(hash_key, sizeof hash_key);
    daemon->admission = admission_open(&limits, hash_key);
    if (daemon->admission == NULL) {
        return fail(daemon, "cannot start", "out of memory");
    }
    if (!inherited_sockets_take(&inherited, &error)) {
        return fail(daemon, "cannot use the sockets of the service manager", error.text);
    }
    struct hub_settings settings = {.backends = &daemon->config->backends, .workers = 1, .version = USMPD_VERSION};
    daemon->hub = hub_open(&daemon->loop, &settings, &error);
    if (daemon->hub == NULL) {
        inherited_sockets_close(&inherited);
        return fail(daemon, "cannot start", error.text);
    }
    bool opened = open_worker(daemon, &inherited);
    inherited_sockets_close(&inherited);
    if (opened) {
        hub_attach(daemon->hub, worker_inbox(daemon->worker));
        /* The worker has it now, and lets go of it with a reload: keys of removed devices do not stay in memory. */
        registry_release(daemon->registry);
        daemon->registry = NULL;
    }
    return opened;
}

/* Stop. */

/* The hub may say that it has written everything while it takes the last events: stopped then, the loop would not
 * close the worker's handles before the worker is freed. */
static void stop_loop(struct daemon *daemon)
{
    if (!daemon->closing) {
        uv_stop(&daemon->loop);
    }
}

static void on_flushed(void *context)
{
    stop_loop(context);
}

static void on_drained(void *context)
{
    struct daemon *daemon = context;
    if (hub_drain(daemon->hub, on_flushed, daemon) == HUB_DRAINED) {
        stop_loop(daemon);
    }
}

static void on_shutdown_timeout(uv_timer_t *timer)
{
    log_write(LOG_LEVEL_WARN, NULL, "not everything could be said or written within shutdown_timeout");
    stop_loop(timer->data);
}

static void terminate(void *context, const char *name)
{
    struct daemon *daemon = context;
    if (++daemon->terminations > 1) {
        stop_loop(daemon);
        return;
    }
    log_write(LOG_LEVEL_INFO, LOG_FIELDS(log_string("signal", name)), "stopping");
    notify_stopping();
    reload_end(&daemon->reload);
    uint64_t timeout = reload_config(&daemon->reload)->shutdown_timeout;
    uv_timer_start(&daemon->shutdown_timer, on_shutdown_timeout, timeout / 1000, 0);
    worker_drain(daemon->worker, on_drained, daemon);
}

static void reload(void *context)
{
    struct daemon *daemon = context;
    reload_request(&daemon->reload);
}

static bool watch_signals(struct daemon *daemon)
{
    daemon->signals.terminate = terminate;
    daemon->signals.reload = reload;
    daemon->signals.context = daemon;
    int result = signals_watch(&daemon->signals, &daemon->loop);
    return result == 0 || fail(daemon, "cannot watch signals", uv_strerror(result));
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    notify_watchdog();
}

static void start_watchdog(struct daemon *daemon)
{
    uint64_t interval = notify_watchdog_interval_us() / 1000;
    if (interval > 0) {
        uv_timer_start(&daemon->watchdog, on_watchdog, interval, interval);
    }
}

static bool start(struct daemon *daemon)
{
    if (!open_parts(daemon) || !check_memory(daemon) || !watch_signals(daemon)) {
        return false;
    }
    if (daemon->config->sandbox == CONFIG_SANDBOX_AUTO) {
        sandbox_enter();
    }
    int result = worker_start(daemon->worker);
    if (result != 0) {
        return fail(daemon, "cannot read from the sockets", uv_strerror(result));
    }
    start_watchdog(daemon);
    log_write(LOG_LEVEL_INFO, LOG_FIELDS(log_string("version", USMPD_VERSION), log_string("aes", crypto_aes_name())),
              "ready");
    notify_ready();
    return true;
}

/* The worker hands its last events to the hub, so it goes first, and the hub after the worker's handles are closed. */
static void close_parts(struct daemon *daemon)
{
    daemon->closing = true;
    signals_close(&daemon->signals);
    uv_close((uv_handle_t *)&daemon->shutdown_timer, NULL);
    uv_close((uv_handle_t *)&daemon->watchdog, NULL);
    status_close(&daemon->status);
    reload_close(&daemon->reload);
    if (daemon->worker != NULL) {
        worker_close(daemon->worker);
    }
    uv_run(&daemon->loop, UV_RUN_NOWAIT);
    worker_free(daemon->worker);
    if (daemon->hub != NULL) {
        hub_close(daemon->hub);
    }
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
    admission_close(daemon->admission);
}

static void run(struct daemon *daemon)
{
    uv_timer_init(&daemon->loop, &daemon->shutdown_timer);
    uv_timer_init(&daemon->loop, &daemon->watchdog);
    daemon->shutdown_timer.data = daemon;
    status_open(&daemon->status, &daemon->loop);
    reload_open(&daemon->reload, &daemon->loop, daemon->config, daemon->boot_secret);
    bool started = start(daemon);
    if (started) {
        status_watch(&daemon->status, daemon->worker, daemon->hub);
        reload_serve(&daemon->reload, daemon->worker, daemon->admission);
        uv_run(&daemon->loop, UV_RUN_DEFAULT);
    }
    close_parts(daemon);
    if (started) {
        log_write(LOG_LEVEL_INFO, NULL, "stopped");
    }
}

int daemon_run(const char *config_path)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL) {
        fputs("usmpd: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    signals_hold();
    descriptor_limit_raise();
    if (load(daemon, config_path)) {
        int result = uv_loop_init(&daemon->loop);
        if (result == 0) {
            run(daemon);
            uv_loop_close(&daemon->loop);
        } else {
            fail(daemon, "cannot make an event loop", uv_strerror(result));
        }
    }
    registry_release(daemon->registry);
    config_free(daemon->config);
    log_close();
    int status = daemon->exit_status;
    secret_memory_wipe(daemon, sizeof *daemon);
    free(daemon);
    return status;
}
