#include "registry/master_secret.h"

#include <ctype.h>

#include "registry/key_rules.h"
#include "registry/key_strength.h"

_Static_assert(REGISTRY_MASTER_MAX == CONFIG_SECRET_MAX, "one bound");

/* Random bytes are no text in all likelihood: 32 of them with a probability of 10^-14. */
static bool is_text(const struct config_secret *secret)
{
    for (size_t i = 0; i < secret->length; i++) {
        if (!isprint(secret->bytes[i]) && secret->bytes[i] < 0x80) {
            return false;
        }
    }
    return true;
}

bool registry_master_secret_check(const struct config_secret *secret, const char *name, struct diagnostics *diagnostics)
{
    if (secret->kind == CONFIG_SECRET_NONE) {
        return false;
    }
    enum registry_key_verdict verdict = registry_key_check_master(secret->bytes, secret->length);
    if (verdict != REGISTRY_KEY_GOOD) {
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, secret->place, "%s %s", name,
                        registry_key_explain_master(verdict));
        return false;
    }
    if (is_text(secret) && registry_key_strength(secret->bytes, secret->length, NULL) < REGISTRY_KEY_STRONG_BITS) {
        diagnostics_add(diagnostics, DIAGNOSTICS_WARNING, secret->place,
                        "%s can be guessed by whoever sees one handshake of any device (estimated under %u bits): take "
                        "32 random bytes",
                        name, REGISTRY_KEY_STRONG_BITS);
    }
    return true;
}
