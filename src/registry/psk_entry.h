/* The key of an entry: `psk`, whose text is the key byte for byte, or `psk_hex`, which is decoded first. */
#ifndef REGISTRY_PSK_ENTRY_H
#define REGISTRY_PSK_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/yaml_tree.h"
#include "registry/entry_source.h"
#include "registry/key_rules.h"
#include "registry/key_strength.h"

struct registry_psk {
    uint8_t bytes[REGISTRY_PSK_MAX];
    size_t size;
};

struct registry_psk_notices {
    struct registry_notice looks_like_hex;
    struct registry_notice development;
    size_t weak;
};

/* Reads one of the two, whichever is not NULL, and holds it against the rules; `id` is whose key it is, NULL for
 * nobody's. False after adding an error. The caller wipes `psk` in both cases. */
bool registry_psk_read(const struct registry_entry_source *source, const struct yaml_node *text,
                       const struct yaml_node *hex, const uint8_t id[REGISTRY_ID_SIZE], bool allow_development,
                       struct registry_psk_notices *notices, struct registry_psk *psk)
    __attribute__((warn_unused_result));

void registry_psk_wipe(struct registry_psk *psk);

/* Says what registry_psk_read() noticed on the way. */
void registry_psk_notices_tell(const struct registry_psk_notices *notices, struct diagnostics *diagnostics);

#endif
