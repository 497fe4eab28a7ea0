/* How hard a PSK that is text is to guess: an estimate for a warning (docs/security.md rule 1). Whoever records one
 * handshake can try guesses offline as fast as HMAC-SHA256 goes, so a pass phrase must last for a long time.
 */
#ifndef REGISTRY_KEY_STRENGTH_H
#define REGISTRY_KEY_STRENGTH_H

#include <stddef.h>
#include <stdint.h>

#define REGISTRY_KEY_STRONG_BITS 80u
#define REGISTRY_ID_SIZE 6u

/* Bits, rounded down; at most 8 a byte. Counts what a guesser has to find out: the id of the device adds nothing (it is
 * sent in the clear), nor does what is repeated or counted up, and letters in rows like words add little. `id` may be
 * NULL: the key of no single device. `length` is up to REGISTRY_PSK_MAX. */
unsigned registry_key_strength(const uint8_t *bytes, size_t length, const uint8_t id[REGISTRY_ID_SIZE])
    __attribute__((warn_unused_result));

#endif
