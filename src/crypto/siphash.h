/* SipHash-2-4: a keyed 64-bit hash for tables whose keys a stranger chooses (docs/security.md rule 25). Not a MAC for
 * anything that leaves the process. Thread-safe.
 */
#ifndef CRYPTO_SIPHASH_H
#define CRYPTO_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define CRYPTO_SIPHASH_KEY_SIZE 16

uint64_t crypto_siphash(const uint8_t key[CRYPTO_SIPHASH_KEY_SIZE], const void *bytes, size_t size);

#endif
