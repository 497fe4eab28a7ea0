#include "gateway/routes.h"

#include "config/config.h"
#include "seam/event.h"

_Static_assert(CONFIG_BACKENDS_MAX <= SEAM_BACKENDS_MAX, "a set of backends has a bit for each");

uint32_t routes_of(const struct config *config, const uint8_t device[6])
{
    uint32_t backends = 0;
    for (size_t index = 0; index < config->backends.count; index++) {
        if (config_backend_serves(&config->backends.items[index], device)) {
            backends |= UINT32_C(1) << index;
        }
    }
    return backends;
}
