/* `usmp send` and `usmp connect`: key, session, messages, goodbye. */
#ifndef USMP_CLIENT_H
#define USMP_CLIENT_H

#include "usmp/arguments.h"

/* Returns the exit status; what went wrong has been said on standard error. */
int client_run(const struct arguments *arguments) __attribute__((warn_unused_result));

#endif
