#include "registry/key_rules.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char development_psk[] = "usmp-dev-psk-change-me-before-prod";

static const char *const published_texts[] = {
    "your-generated-psk-here",
    "unique-psk-for-device-1",
    "unique-psk-for-device-2",
};

/* The documentation's example of what `secrets.token_hex(32)` prints: taken over as text or, decoded, as bytes. */
static const char published_hex[] = "7f3a1b9e2c4d5f6a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a";

#define PUBLISHED_BYTES ((sizeof(published_hex) - 1) / 2)

static size_t without_trailing_zeros(const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0) {
        size--;
    }
    return size;
}

/* `size` counts the zero bytes at the end, `significant` does not: zeros alone are one byte, too. */
static bool is_one_byte(const uint8_t *bytes, size_t size, size_t significant)
{
    if (significant == 0) {
        return size > 1;
    }
    for (size_t i = 1; i < significant; i++) {
        if (bytes[i] != bytes[0]) {
            return false;
        }
    }
    return significant > 1;
}

static bool is_text(const uint8_t *bytes, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(bytes, text, size) == 0;
}

static unsigned digit_value(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static bool is_published_bytes(const uint8_t *bytes, size_t size)
{
    if (size != PUBLISHED_BYTES) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != (digit_value(published_hex[2 * i]) << 4 | digit_value(published_hex[2 * i + 1]))) {
            return false;
        }
    }
    return true;
}

static bool is_published(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof(published_texts) / sizeof(published_texts[0]); i++) {
        if (is_text(bytes, size, published_texts[i])) {
            return true;
        }
    }
    if (size == sizeof(published_hex) - 1 && strncasecmp((const char *)bytes, published_hex, size) == 0) {
        return true;
    }
    return is_published_bytes(bytes, size);
}

enum registry_key_verdict registry_key_check_psk(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return REGISTRY_KEY_EMPTY;
    }
    if (size > REGISTRY_PSK_MAX) {
        return REGISTRY_KEY_TOO_LONG;
    }
    size_t significant = without_trailing_zeros(bytes, size);
    if (is_one_byte(bytes, size, significant)) {
        return REGISTRY_KEY_ONE_BYTE;
    }
    if (significant < REGISTRY_PSK_MIN) {
        return REGISTRY_KEY_TOO_SHORT;
    }
    if (is_text(bytes, significant, development_psk)) {
        return REGISTRY_KEY_DEVELOPMENT;
    }
    return is_published(bytes, significant) ? REGISTRY_KEY_PUBLISHED : REGISTRY_KEY_GOOD;
}

enum registry_key_verdict registry_key_check_master(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return REGISTRY_KEY_EMPTY;
    }
    if (size > REGISTRY_MASTER_MAX) {
        return REGISTRY_KEY_TOO_LONG;
    }
    size_t significant = without_trailing_zeros(bytes, size);
    if (is_one_byte(bytes, size, significant)) {
        return REGISTRY_KEY_ONE_BYTE;
    }
    /* 32 random bytes end in a zero byte once in 256 times, and are as good then. */
    if (size < REGISTRY_MASTER_MIN || significant < REGISTRY_PSK_MIN) {
        return REGISTRY_KEY_TOO_SHORT;
    }
    if (is_text(bytes, significant, development_psk) || is_published(bytes, significant)) {
        return REGISTRY_KEY_PUBLISHED;
    }
    return REGISTRY_KEY_GOOD;
}

const char *registry_key_explain_psk(enum registry_key_verdict verdict)
{
    switch (verdict) {
    case REGISTRY_KEY_EMPTY:
        return "is empty";
    case REGISTRY_KEY_TOO_SHORT:
        return "is shorter than 16 bytes (zero bytes at its end do not count); take 32 random bytes";
    case REGISTRY_KEY_TOO_LONG:
        return "is longer than 1024 bytes";
    case REGISTRY_KEY_ONE_BYTE:
        return "is one repeated byte; take 32 random bytes";
    case REGISTRY_KEY_DEVELOPMENT:
        return "is the development PSK of the SDKs, which everybody knows; psk.allow_development_psk accepts it for "
               "trying things out";
    case REGISTRY_KEY_PUBLISHED:
        return "is an example from public documentation, which everybody knows; take 32 random bytes";
    case REGISTRY_KEY_GOOD:
        break;
    }
    assert(false);
    return "";
}

const char *registry_key_explain_master(enum registry_key_verdict verdict)
{
    switch (verdict) {
    case REGISTRY_KEY_TOO_SHORT:
        return "is shorter than 32 bytes; take 32 random bytes";
    case REGISTRY_KEY_TOO_LONG:
        return "is longer than 4096 bytes";
    default:
        return registry_key_explain_psk(verdict);
    }
}
