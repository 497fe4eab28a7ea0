/* A registry file of whatever content: it loads or is refused with a message, and what has loaded can be looked up. The
 * file is an operator's, so this is about mistakes rather than attacks. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "config/diagnostics.h"
#include "config/yaml_tree.h"
#include "crypto/start.h"
#include "registry/file.h"
#include "registry/registry.h"
#include "registry/snapshot.h"

#define NOW INT64_C(1800000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE] = "a boot secret of thirty-two byte";

static void look_up(const struct registry *registry, const uint8_t id[REGISTRY_DEVICE_ID_SIZE])
{
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct registry_match match;
        registry_lookup(registry, id, wire, NOW, &match);
        assert(match.settings.max_downlink >= 1 && match.settings.max_downlink <= REGISTRY_MAX_DOWNLINK);
        bool any = false;
        for (size_t i = 0; i < REGISTRY_CANDIDATES; i++) {
            any = any || match.accepted_if_matched[i];
            uint8_t tag[REGISTRY_KEY_TAG_SIZE];
            registry_key_tag(registry, &match.keys[i], tag);
            enum registry_verdict verdict = registry_key_still_accepted(registry, id, tag, NOW);
            assert(verdict == REGISTRY_ACCEPTED || !match.accepted_if_matched[i]);
        }
        assert(any == (match.verdict == REGISTRY_ACCEPTED));
        registry_match_wipe(&match);
    }
}

static void read_file(const struct yaml_tree *tree, struct diagnostics *diagnostics)
{
    struct registry_file_size room = registry_file_measure(tree);
    struct registry_file_reader reader = {.diagnostics = diagnostics};
    reader.registry = registry_create((uint32_t)room.devices, (uint32_t)room.keys, boot_secret, 3);
    reader.origins = calloc(room.devices + 1, sizeof(reader.origins[0]));
    if (reader.registry == NULL || reader.origins == NULL) {
        abort();
    }
    reader.entries.keys = &reader.registry->keys;
    registry_file_read(&reader, tree);
    assert(reader.registry->devices.count <= room.devices && reader.registry->keys.count <= room.keys);
    static const uint8_t nobody[REGISTRY_DEVICE_ID_SIZE];
    look_up(reader.registry, nobody);
    for (uint32_t i = 0; i < reader.registry->devices.count; i++) {
        look_up(reader.registry, reader.registry->devices.devices[i].id);
    }
    assert(registry_next_expiry(reader.registry, NOW) > NOW);
    registry_release(reader.registry);
    free(reader.origins);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (crypto_start() != CRYPTO_STARTED) {
        abort();
    }
    struct diagnostics *diagnostics = diagnostics_open();
    if (diagnostics == NULL) {
        abort();
    }
    struct yaml_tree *tree = yaml_tree_parse("devices.yaml", (const char *)data, size, diagnostics);
    assert(tree != NULL || diagnostics_errors(diagnostics) > 0);
    if (tree != NULL) {
        read_file(tree, diagnostics);
    }
    yaml_tree_free(tree);
    diagnostics_close(diagnostics);
    return 0;
}
