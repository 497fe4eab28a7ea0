/* Which backends a device's events go to: the `devices` patterns of the backends (docs/backend.md). */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include <stdint.h>

struct config;

/* A set of backends (seam/event.h); 0: no pattern matches, so the device cannot be served. */
uint32_t routes_of(const struct config *config, const uint8_t device[6]);

#endif
