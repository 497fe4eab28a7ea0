/* Secrets in memory: wiping and comparing. May be called before crypto_start(). */
#ifndef CRYPTO_MEMORY_H
#define CRYPTO_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/attributes.h"

/* Zeroes memory in a way that the compiler does not remove. */
void crypto_wipe(void *memory, size_t size);

/* Overwrites what functions that have returned by now left on the stack, 16 KiB below the caller, and in the registers
 * that a call may change. For calls of libraries that do not wipe their own copies of a key. */
void crypto_wipe_stack(void);

/* Whether two secrets of one size are equal; the time taken does not tell where they differ. */
bool crypto_equal(const void *one, const void *other, size_t size) CRYPTO_MUST_USE;

/* For arrays on the stack, which are then wiped whenever their scope is left: uint8_t shared[32] CRYPTO_WIPED_32; */
#define CRYPTO_WIPED_32 __attribute__((cleanup(crypto_wipe_32)))
#define CRYPTO_WIPED_64 __attribute__((cleanup(crypto_wipe_64)))

static inline void crypto_wipe_32(void *array)
{
    crypto_wipe(array, 32);
}

static inline void crypto_wipe_64(void *array)
{
    crypto_wipe(array, 64);
}

#endif
