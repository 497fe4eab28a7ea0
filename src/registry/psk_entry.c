#include "registry/psk_entry.h"

#include <assert.h>
#include <string.h>

#include "config/hex_digit.h"
#include "crypto/memory.h"

#define DIGITS_OF_A_KEY 64u /* what most generators of keys print */

static bool is_hex(const struct yaml_node *node)
{
    for (size_t i = 0; i < node->length; i++) {
        if (config_hex_digit(node->text[i]) < 0) {
            return false;
        }
    }
    return true;
}

static bool read_hex(const struct registry_entry_source *source, const struct yaml_node *node, struct registry_psk *psk)
{
    if (!is_hex(node)) {
        registry_entry_error(source, node, "has something else in it than hex digits; if the key is a text, write psk");
        return false;
    }
    if (node->length % 2 != 0) {
        registry_entry_error(source, node, "has an odd number of hex digits: one is missing, or one too many");
        return false;
    }
    if (node->length > 2 * sizeof(psk->bytes)) {
        registry_entry_error(source, node, "%s", registry_key_explain_psk(REGISTRY_KEY_TOO_LONG));
        return false;
    }
    psk->size = node->length / 2;
    for (size_t i = 0; i < psk->size; i++) {
        unsigned high = (unsigned)config_hex_digit(node->text[2 * i]);
        unsigned low = (unsigned)config_hex_digit(node->text[2 * i + 1]);
        psk->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_text(const struct registry_entry_source *source, const struct yaml_node *node,
                      struct registry_psk *psk)
{
    if (node->length > sizeof(psk->bytes)) {
        registry_entry_error(source, node, "%s", registry_key_explain_psk(REGISTRY_KEY_TOO_LONG));
        return false;
    }
    psk->size = node->length;
    memcpy(psk->bytes, node->text, psk->size);
    return true;
}

static void warn_about_text(const struct registry_entry_source *source, const struct yaml_node *node,
                            const struct registry_psk *psk, const uint8_t *id, struct registry_psk_notices *notices)
{
    if (node->length == DIGITS_OF_A_KEY && is_hex(node)) {
        registry_notice_add(&notices->looks_like_hex, source, node);
    }
    char last = node->text[node->length - 1];
    if (last == '\n' || last == ' ') {
        registry_entry_warning(source, node, "ends in a %s, which is part of the key",
                               last == ' ' ? "space" : "line break");
    }
    if (registry_key_strength(psk->bytes, psk->size, id) < REGISTRY_KEY_STRONG_BITS) {
        registry_entry_warning(source, node,
                               "can be guessed by whoever sees one handshake (estimated under %u bits): take 32 "
                               "random bytes, as `usmp keygen` prints them",
                               REGISTRY_KEY_STRONG_BITS);
        notices->weak++;
    }
}

bool registry_psk_read(const struct registry_entry_source *source, const struct yaml_node *text,
                       const struct yaml_node *hex, const uint8_t id[REGISTRY_ID_SIZE], bool allow_development,
                       struct registry_psk_notices *notices, struct registry_psk *psk)
{
    assert(text != NULL || hex != NULL);
    psk->size = 0;
    if (text != NULL && hex != NULL) {
        registry_entry_error(source, hex, "stands beside psk: a key is one of the two");
        return false;
    }
    const struct yaml_node *node = text != NULL ? text : hex;
    if (node->kind != YAML_SCALAR) {
        registry_entry_error(source, node, "must be %s", text != NULL ? "a text" : "hex digits");
        return false;
    }
    if (yaml_tree_is_null(node)) {
        registry_entry_error(source, node, "%s", registry_key_explain_psk(REGISTRY_KEY_EMPTY));
        return false;
    }
    if (!(text != NULL ? read_text(source, node, psk) : read_hex(source, node, psk))) {
        return false;
    }
    enum registry_key_verdict verdict = registry_key_check_psk(psk->bytes, psk->size);
    if (verdict == REGISTRY_KEY_DEVELOPMENT && allow_development) {
        registry_notice_add(&notices->development, source, node);
        return true;
    }
    if (verdict != REGISTRY_KEY_GOOD) {
        registry_entry_error(source, node, "%s", registry_key_explain_psk(verdict));
        return false;
    }
    if (text != NULL) {
        warn_about_text(source, node, psk, id, notices);
    }
    return true;
}

void registry_psk_wipe(struct registry_psk *psk)
{
    crypto_wipe(psk, sizeof(*psk));
}

void registry_psk_notices_tell(const struct registry_psk_notices *notices, struct diagnostics *diagnostics)
{
    registry_notice_tell(&notices->looks_like_hex, diagnostics,
                         "has a psk of 64 hex digits, and it is taken as psk says: the key is this text of 64 bytes. "
                         "If the device has the 32 bytes that the digits stand for, write psk_hex");
    registry_notice_tell(&notices->development, diagnostics,
                         "has the development PSK, which everybody knows: psk.allow_development_psk is for trying "
                         "things out only");
}
