/* From the words of the configuration (`limits`) to those of admission. */
#ifndef ADMISSION_CONFIGURED_LIMITS_H
#define ADMISSION_CONFIGURED_LIMITS_H

#include "admission/admission.h"
#include "config/config.h"

_Static_assert(CONFIG_TRUSTED_MAX <= ADMISSION_TRUSTED_MAX, "every configured network has a place");

/* `trusted` is borrowed from the configuration. */
static inline struct admission_limits admission_configured_limits(const struct config *config)
{
    return (struct admission_limits){.sessions = config->limits.sessions,
                                     .sessions_per_address = config->limits.sessions_per_ip,
                                     .default_psk_sessions = config->limits.default_psk_sessions,
                                     .handshakes = config->limits.handshakes,
                                     .handshakes_per_address = config->limits.handshakes_per_ip,
                                     .lockout_after = config->limits.lockout_after,
                                     .lockout = config->limits.lockout,
                                     .trusted_count = config->limits.trusted.count,
                                     .trusted = config->limits.trusted.items};
}

#endif
