#include "usmpd/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "config/diagnostics.h"
#include "crypto/random.h"
#include "registry/load.h"
#include "usmpd/options.h"

/* The registry is looked at even when the configuration has errors, so that one run shows everything. */
static void examine(const char *path, struct diagnostics *diagnostics)
{
    struct config *config = config_examine(path, diagnostics);
    if (config == NULL) {
        return;
    }
    uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE];
    crypto_random(boot_secret, sizeof boot_secret);
    config_check_system(config, diagnostics);
    registry_release(registry_load(config, boot_secret, diagnostics));
    config_free(config);
}

int check_configuration(const char *path)
{
    struct diagnostics *diagnostics = diagnostics_open();
    if (diagnostics == NULL) {
        fputs("usmpd: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    examine(path, diagnostics);
    diagnostics_print(diagnostics, stderr);
    int status = diagnostics_errors(diagnostics) == 0 ? EXIT_SUCCESS : EXIT_CONFIGURATION;
    diagnostics_close(diagnostics);
    return status;
}
