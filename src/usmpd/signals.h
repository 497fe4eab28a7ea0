/* The signals of usmpd: TERM and INT stop it, HUP reloads. */
#ifndef USMPD_SIGNALS_H
#define USMPD_SIGNALS_H

#include <stddef.h>
#include <uv.h>

#define SIGNALS_WATCHED 3u

struct signals {
    uv_signal_t handles[SIGNALS_WATCHED];
    size_t count;
    void (*terminate)(void *context, const char *name); /* "TERM" or "INT" */
    void (*reload)(void *context);
    void *context;
};

/* First of all: a HUP that comes during the start waits for it, in place of ending usmpd. */
void signals_hold(void);

/* Callbacks and context are set; from here on they are called on the loop. Returns 0 or a negative libuv error; what is
 * watched by then is closed with signals_close. */
int signals_watch(struct signals *signals, uv_loop_t *loop) __attribute__((warn_unused_result));

/* No signal is heard of any more: one more must not kill what is about to end by itself. */
void signals_close(struct signals *signals);

#endif
