/* Makes a registry of the files and secrets that a configuration names (docs/security.md rules 1 and 2). */
#ifndef REGISTRY_LOAD_H
#define REGISTRY_LOAD_H

#include <stdint.h>

#include "config/config.h"
#include "config/diagnostics.h"
#include "registry/registry.h"

#define REGISTRY_DEVICES_MAX 16000000u /* in all files; more is an error */

/* NULL after adding at least one error; everything that is wrong is added, with its place, and warnings too. Does not
 * refer to `config` afterwards. `boot_secret` is random and the same for the life of the process: it keys the table,
 * makes the dummies of unknown devices and the tags of keys. The caller releases the result.
 *
 * Reads files, so it may block; for start, `--check` and reload, on whatever thread. Two of them at once have twice the
 * secret memory. */
struct registry *registry_load(const struct config *config, const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE],
                               struct diagnostics *diagnostics) __attribute__((warn_unused_result));

#endif
