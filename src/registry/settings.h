/* What a registry entry says about a device beside its keys. */
#ifndef REGISTRY_SETTINGS_H
#define REGISTRY_SETTINGS_H

#include <stdint.h>

#define REGISTRY_MAX_DOWNLINK 1808u /* bytes: the longest message of the wire, docs/protocol.md section 3 */
#define REGISTRY_SESSION_TIMEOUT_GLOBAL UINT64_MAX
#define REGISTRY_WIRE_BIT(wire) (1u << ((wire)-1u)) /* wire 1 or 2, as CONFIG_WIRE_BIT */

enum registry_v1_downlink {
    REGISTRY_V1_DOWNLINK_GLOBAL, /* as wire.v1_downlink says */
    REGISTRY_V1_DOWNLINK_OFF,
    REGISTRY_V1_DOWNLINK_ON,
};

/* Of what goes to a wire 2 device. */
enum registry_cipher {
    REGISTRY_CIPHER_AUTO,
    REGISTRY_CIPHER_AES_256_GCM,
    REGISTRY_CIPHER_CHACHA20_POLY1305,
};

struct registry_settings {
    uint64_t session_timeout; /* microseconds, 0 = off, or REGISTRY_SESSION_TIMEOUT_GLOBAL */
    uint16_t max_downlink;    /* bytes of a message to the device, 1 to REGISTRY_MAX_DOWNLINK */
    uint8_t wires;            /* REGISTRY_WIRE_BIT of each that it may speak; never 0 */
    enum registry_v1_downlink v1_downlink;
    enum registry_cipher cipher;
};

#endif
