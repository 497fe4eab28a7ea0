#include "registry/match.h"

#include <assert.h>

#include "crypto/memory.h"

enum registry_verdict registry_match_result(const struct registry_match *match, size_t matched)
{
    assert(matched <= REGISTRY_CANDIDATES);
    if (match->verdict != REGISTRY_ACCEPTED) {
        return match->verdict;
    }
    if (matched == REGISTRY_CANDIDATES) {
        return REGISTRY_WRONG_KEY;
    }
    return match->accepted_if_matched[matched] ? REGISTRY_ACCEPTED : REGISTRY_EXPIRED;
}

const char *registry_verdict_text(enum registry_verdict verdict)
{
    switch (verdict) {
    case REGISTRY_ACCEPTED:
        return "accepted";
    case REGISTRY_UNKNOWN:
        return "unknown device";
    case REGISTRY_REVOKED:
        return "device revoked";
    case REGISTRY_EXPIRED:
        return "key expired";
    case REGISTRY_WRONG_WIRE:
        return "wire not allowed for this device";
    case REGISTRY_WRONG_KEY:
        return "wrong PSK";
    }
    assert(false);
    return "";
}

void registry_match_wipe(struct registry_match *match)
{
    crypto_wipe(match, sizeof(*match));
}
