#ifndef TESTS_SECRETS_GATEWAY_PROCESS_H
#define TESTS_SECRETS_GATEWAY_PROCESS_H

/* A usmpd in a folder and at a loopback address of its own. Included after cmocka.h; _GNU_SOURCE. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "secrets/process_image.h"

struct gateway_process {
    pid_t pid; /* 0: it has ended */
    int notify;
    char folder[40];
    char host[16];
    uint16_t port;
};

/* Writes the configuration, not yet the registry. */
void gateway_process_prepare(struct gateway_process *gateway, const char *more_configuration);
void gateway_process_write(const struct gateway_process *gateway, const char *name, const char *text);

/* `variable`: "NAME=value" for its environment, or NULL. Returns when it is ready. */
void gateway_process_start(struct gateway_process *gateway, const char *variable);
/* Returns when the reload is over. */
void gateway_process_reload(const struct gateway_process *gateway);

/* Ends it, and reads its memory when nothing is left to do for it but to be gone. False: it may not be traced. */
bool gateway_process_stop(struct gateway_process *gateway, struct process_image *last);

/* Removes the folder; ends what still runs. */
void gateway_process_clean_up(struct gateway_process *gateway);

#endif
