/* What the registry knows for one handshake: the keys to check a HELLO_ACK against, and what a right one leads to.
 *
 * Whoever the device is, there are REGISTRY_CANDIDATES keys to check, and all of them have to be checked: an unknown
 * device, a revoked one, an expired key, a wire that the device may not speak and a wrong PSK then cost the same
 * number of HMACs (docs/security.md rule 4). Places without a key hold a dummy that no device can know.
 *
 * Owner: the caller; as secret as the PSKs, so registry_match_wipe() ends it.
 */
#ifndef REGISTRY_MATCH_H
#define REGISTRY_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/settings.h"

#define REGISTRY_CANDIDATES 4u

/* HMAC-SHA256's inner and outer state after the padded PSK: the same 64 bytes as struct usmp_psk of <usmp/psk.h> and
 * struct crypto_hmac_key have. */
struct registry_key {
    uint32_t state[16];
};

/* For the log, and to be looked at only when the answer to the device is on its way. */
enum registry_verdict {
    REGISTRY_ACCEPTED,
    REGISTRY_UNKNOWN, /* not listed, and no `default` or master secret; or listed without a key, likewise */
    REGISTRY_REVOKED,
    REGISTRY_EXPIRED,    /* the key's `until` has come */
    REGISTRY_WRONG_WIRE, /* the device may not speak this wire */
    REGISTRY_WRONG_KEY,  /* no key of the device's fits */
};

struct registry_match {
    struct registry_key keys[REGISTRY_CANDIDATES];
    bool accepted_if_matched[REGISTRY_CANDIDATES]; /* fitting is not enough: accepted = fits and this */
    enum registry_verdict verdict;                 /* of the device as a whole: REGISTRY_ACCEPTED if any key would do */
    bool uses_default;                             /* the keys are those of `default` (limits.default_psk_sessions) */
    struct registry_settings settings;
};

/* Why a handshake was refused, or REGISTRY_ACCEPTED: `matched` is the number of the key that fitted, or
 * REGISTRY_CANDIDATES for none. */
enum registry_verdict registry_match_result(const struct registry_match *match, size_t matched);

/* For the log: "unknown device". */
const char *registry_verdict_text(enum registry_verdict verdict);

void registry_match_wipe(struct registry_match *match);

#endif
