/* HUP: the configuration that follows on a running one.
 *
 * A key that takes effect at the next start keeps the value it runs with, so that the new configuration is in force as
 * a whole the moment it is swapped in, and nobody has to know which of its values may be read.
 */
#ifndef CONFIG_RELOAD_H
#define CONFIG_RELOAD_H

#include "config/config.h"
#include "config/diagnostics.h"
#include "config/schema.h"

#define CONFIG_CHANGES_TEXT 512u

/* Dotted names of the keys that changed, by effect: "limits.sessions, log.level", cut with "…" when there are very
 * many; "" when there are none. For the log. */
struct config_changes {
    size_t count[CONFIG_EFFECTS];
    char text[CONFIG_EFFECTS][CONFIG_CHANGES_TEXT];
};

/* Reads the file of `running` again. NULL after adding errors: then nothing has changed. Master secrets from files are
 * read again; those from the environment or a credential are taken over, or wait for the next start if they are other
 * ones than before. The caller owns the result; `running` is still valid and not referred to. */
struct config *config_reload(const struct config *running, struct config_changes *changes,
                             struct diagnostics *diagnostics) __attribute__((warn_unused_result));

#endif
