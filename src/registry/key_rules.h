/* What a PSK and a master secret must be (docs/security.md rule 1). Pure functions over the key's bytes.
 *
 * HMAC-SHA256 fills a key up with zero bytes, so zero bytes at the end of a key add nothing to it: the rules look at
 * what stands before them.
 */
#ifndef REGISTRY_KEY_RULES_H
#define REGISTRY_KEY_RULES_H

#include <stddef.h>
#include <stdint.h>

#define REGISTRY_PSK_MIN 16u    /* bytes, those zeros not counted */
#define REGISTRY_PSK_MAX 1024u  /* bytes; HMAC takes any length, a device's flash does not */
#define REGISTRY_MASTER_MIN 32u /* bytes */
#define REGISTRY_MASTER_MAX 4096u

enum registry_key_verdict {
    REGISTRY_KEY_GOOD,
    REGISTRY_KEY_EMPTY,
    REGISTRY_KEY_TOO_SHORT,
    REGISTRY_KEY_TOO_LONG,
    REGISTRY_KEY_ONE_BYTE,    /* one byte, over and over */
    REGISTRY_KEY_DEVELOPMENT, /* the PSK of the SDKs' examples, which psk.allow_development_psk lets pass */
    REGISTRY_KEY_PUBLISHED,   /* another key that stands in public documentation */
};

enum registry_key_verdict registry_key_check_psk(const uint8_t *bytes, size_t size) __attribute__((warn_unused_result));

/* Never REGISTRY_KEY_DEVELOPMENT: as a master secret that is one more published key. */
enum registry_key_verdict registry_key_check_master(const uint8_t *bytes, size_t size)
    __attribute__((warn_unused_result));

/* What is wrong, to follow the key's name in a message: "is empty". Not for REGISTRY_KEY_GOOD. */
const char *registry_key_explain_psk(enum registry_key_verdict verdict);
const char *registry_key_explain_master(enum registry_key_verdict verdict);

#endif
