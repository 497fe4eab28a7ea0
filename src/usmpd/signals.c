#include "usmpd/signals.h"

#include <assert.h>
#include <signal.h>

static const int WATCHED[SIGNALS_WATCHED] = {SIGTERM, SIGINT, SIGHUP};

static void change_mask(int how, int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    int result = pthread_sigmask(how, &set, NULL);
    assert(result == 0);
    (void)result;
}

void signals_hold(void)
{
    change_mask(SIG_BLOCK, SIGHUP);
}

static void on_signal(uv_signal_t *handle, int number)
{
    const struct signals *signals = handle->data;
    if (number == SIGHUP) {
        signals->reload(signals->context);
    } else {
        signals->terminate(signals->context, number == SIGINT ? "INT" : "TERM");
    }
}

static int watch(struct signals *signals, uv_loop_t *loop, int number)
{
    uv_signal_t *handle = &signals->handles[signals->count];
    int result = uv_signal_init(loop, handle);
    if (result != 0) {
        return result;
    }
    signals->count++;
    handle->data = signals;
    return uv_signal_start(handle, on_signal, number);
}

int signals_watch(struct signals *signals, uv_loop_t *loop)
{
    int result = 0;
    for (size_t index = 0; result == 0 && index < SIGNALS_WATCHED; index++) {
        result = watch(signals, loop, WATCHED[index]);
    }
    change_mask(SIG_UNBLOCK, SIGHUP);
    return result;
}

void signals_close(struct signals *signals)
{
    for (size_t index = 0; index < SIGNALS_WATCHED; index++) {
        change_mask(SIG_BLOCK, WATCHED[index]);
    }
    for (size_t index = 0; index < signals->count; index++) {
        uv_close((uv_handle_t *)&signals->handles[index], NULL);
    }
}
