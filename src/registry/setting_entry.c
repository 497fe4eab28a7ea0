#include "registry/setting_entry.h"

#include <string.h>

#include "config/config.h"
#include "config/units.h"
#include "registry/settings.h"

#define DURATION_EXPECTED "a duration such as 15m, or 0 for off"
#define DOWNLINK_EXPECTED "a number of bytes from 1 to 1808"
#define WIRES_EXPECTED "a list of wire versions: [1], [2] or [1, 2]"
#define BOOLEAN_EXPECTED "true or false"
#define CIPHER_EXPECTED "auto, aes-256-gcm or chacha20-poly1305"

_Static_assert(REGISTRY_MAX_DOWNLINK == 1808, "the message says so");
static bool read_boolean(const struct registry_entry_source *source, const struct yaml_node *node, bool *value)
{
    const char *text = registry_entry_text(source, node, BOOLEAN_EXPECTED);
    if (text == NULL) {
        return false;
    }
    if (config_units_boolean(text, value) != NULL) {
        registry_entry_error(source, node, "must be %s", BOOLEAN_EXPECTED);
        return false;
    }
    return true;
}

void registry_setting_revoked(const struct registry_entry_source *source, const struct yaml_node *node,
                              struct registry_device *device)
{
    bool revoked;
    if (read_boolean(source, node, &revoked)) {
        device->revoked = revoked;
    }
}

void registry_setting_session_timeout(const struct registry_entry_source *source, const struct yaml_node *node,
                                      struct registry_device *device)
{
    const char *text = registry_entry_text(source, node, DURATION_EXPECTED);
    if (text == NULL) {
        return;
    }
    uint64_t timeout;
    const char *problem = config_units_duration(text, &timeout);
    if (problem != NULL) {
        registry_entry_error(source, node, "%s", problem);
    } else if (timeout != 0 && timeout < CONFIG_DURATION_MIN) {
        registry_entry_error(source, node, "is too short: at least 100ms, or 0 for off");
    } else if (timeout == REGISTRY_SESSION_TIMEOUT_GLOBAL) {
        registry_entry_error(source, node, "must be %s", DURATION_EXPECTED);
    } else {
        device->session_timeout = timeout;
    }
}

void registry_setting_max_downlink(const struct registry_entry_source *source, const struct yaml_node *node,
                                   struct registry_device *device)
{
    const char *text = registry_entry_text(source, node, DOWNLINK_EXPECTED);
    if (text == NULL) {
        return;
    }
    uint64_t bytes;
    if (config_units_count(text, &bytes) != NULL || bytes < 1 || bytes > REGISTRY_MAX_DOWNLINK) {
        registry_entry_error(source, node, "must be %s", DOWNLINK_EXPECTED);
    } else {
        device->max_downlink = (uint16_t)bytes;
    }
}

/* Its REGISTRY_WIRE_BIT, or 0 for what is no wire. */
static unsigned read_wire(const struct yaml_node *item)
{
    uint64_t wire;
    if (item->kind != YAML_SCALAR || strlen(item->text) != item->length ||
        config_units_count(item->text, &wire) != NULL || wire < 1 || wire > 2) {
        return 0;
    }
    return REGISTRY_WIRE_BIT((unsigned)wire);
}

void registry_setting_wire(const struct registry_entry_source *source, const struct yaml_node *node,
                           struct registry_device *device)
{
    if (node->kind != YAML_SEQUENCE || node->length == 0) {
        registry_entry_error(source, node, "must be %s", WIRES_EXPECTED);
        return;
    }
    unsigned wires = 0;
    bool right = true;
    for (const struct yaml_node *item = node->first; item != NULL; item = item->next) {
        unsigned wire = read_wire(item);
        if (wire == 0) {
            registry_entry_error_at(source, item, node->key, "must be 1 or 2");
            right = false;
        } else if ((wires & wire) != 0) {
            registry_entry_error_at(source, item, node->key, "has a wire version twice");
            right = false;
        }
        wires |= wire;
    }
    if (right) {
        device->wires = wires & 3u;
    }
}

void registry_setting_v1_downlink(const struct registry_entry_source *source, const struct yaml_node *node,
                                  struct registry_device *device)
{
    bool on;
    if (read_boolean(source, node, &on)) {
        device->v1_downlink = on ? REGISTRY_V1_DOWNLINK_ON : REGISTRY_V1_DOWNLINK_OFF;
    }
}

void registry_setting_cipher(const struct registry_entry_source *source, const struct yaml_node *node,
                             struct registry_device *device)
{
    const char *text = registry_entry_text(source, node, CIPHER_EXPECTED);
    if (text == NULL) {
        return;
    }
    if (strcmp(text, "auto") == 0) {
        device->cipher = REGISTRY_CIPHER_AUTO;
    } else if (strcmp(text, "aes-256-gcm") == 0) {
        device->cipher = REGISTRY_CIPHER_AES_256_GCM;
    } else if (strcmp(text, "chacha20-poly1305") == 0) {
        device->cipher = REGISTRY_CIPHER_CHACHA20_POLY1305;
    } else {
        registry_entry_error(source, node, "must be %s", CIPHER_EXPECTED);
    }
}

void registry_setting_note(const struct registry_entry_source *source, const struct yaml_node *node,
                           struct registry_device *device)
{
    (void)device;
    if (node->kind != YAML_SCALAR) {
        registry_entry_error(source, node, "must be a text");
    }
}
