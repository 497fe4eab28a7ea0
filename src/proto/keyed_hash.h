/* HMAC-SHA256 for the keys that public structures hold: they have the state of crypto/hmac.h as plain words, so that
 * libusmp's headers need none of another room. Internal to libusmp.
 */
#ifndef PROTO_KEYED_HASH_H
#define PROTO_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/hmac.h"

#define USMP_KEYED_HASH_WORDS 16

void usmp_keyed_hash_init(uint32_t state[USMP_KEYED_HASH_WORDS], const void *bytes, size_t size);

void usmp_keyed_hash(const uint32_t state[USMP_KEYED_HASH_WORDS], const struct crypto_part *parts, size_t count,
                     uint8_t out[CRYPTO_HMAC_SIZE]);

void usmp_keyed_hash_wipe(uint32_t state[USMP_KEYED_HASH_WORDS]);

#endif
