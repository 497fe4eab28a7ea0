/* HUP: configuration, registry and secrets are read again on a thread of their own, so that devices are served
 * meanwhile, and taken over on the loop as a whole, or not at all when anything in them is wrong.
 */
#ifndef USMPD_RELOAD_H
#define USMPD_RELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "config/diagnostics.h"
#include "config/reload.h"

struct admission;
struct registry;
struct worker;

struct reload {
    uv_loop_t *loop;
    uv_work_t work;
    const struct config *started; /* the configuration of the start: not freed here */
    const struct config *running; /* that, or the latest one taken over, which is owned */
    const uint8_t *boot_secret;
    struct worker *worker;
    struct admission *admission;
    bool busy;  /* the thread is reading */
    bool again; /* asked for while it was */
    /* What the thread has read: */
    struct diagnostics *diagnostics;
    struct config *config;
    struct registry *registry;
    struct config_changes changes;
};

void reload_open(struct reload *reload, uv_loop_t *loop, const struct config *started, const uint8_t *boot_secret);
/* Who takes over what was read; before that a request is ignored. */
void reload_serve(struct reload *reload, struct worker *worker, struct admission *admission);
void reload_request(struct reload *reload);

/* The configuration in force. */
const struct config *reload_config(const struct reload *reload);

/* usmpd ends: nothing is taken over any more, and nobody is told of what is being read. */
void reload_end(struct reload *reload);

/* Waits for the thread if it is reading. */
void reload_close(struct reload *reload);

/* A line in the log for each message. */
void reload_log_diagnostics(const struct diagnostics *diagnostics);

#endif
