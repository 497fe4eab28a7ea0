/* What a master secret must be, wherever it came from (docs/security.md rule 1). */
#ifndef REGISTRY_MASTER_SECRET_H
#define REGISTRY_MASTER_SECRET_H

#include <stdbool.h>

#include "config/config.h"
#include "config/diagnostics.h"

/* Whether the secret is given and may be used. `name` is what it is called: "psk.master_secret". One that may not be
 * used is an error at the place that names it, one that can be guessed a warning. */
bool registry_master_secret_check(const struct config_secret *secret, const char *name, struct diagnostics *diagnostics)
    __attribute__((warn_unused_result));

#endif
